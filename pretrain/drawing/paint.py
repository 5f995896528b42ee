"""Painting forms: colours and textures as skins, light and shadow, one upon the other."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pretrain.drawing import colours, textures
from pretrain.drawing.forms import Form, Place
from pretrain.drawing.sheet import Sheet, blur, sample

LOW = 4  # shadows are drawn at a fourth of the size
SHADES = 32


@dataclass(frozen=True)
class Light:
    """Where the light of each picture comes from and how soft it is, all (n, 1, 1)."""

    x: Tensor
    y: Tensor
    ambient: Tensor

    def rows(self, where: Tensor) -> "Light":
        return Light(self.x[where], self.y[where], self.ambient[where])


@dataclass(frozen=True)
class Layer:
    """An object ready to be laid on a picture: RGB (n, 3, s, s), coverage and shadow (n, s, s)."""

    colour: Tensor
    alpha: Tensor
    shadow: Tensor

    def paste(self, index: int, area: Tensor) -> None:
        """Lay one object on an area (3, s, s) of a picture."""
        area.mul_(1 - self.shadow[index]).lerp_(self.colour[index], self.alpha[index])


def lights(sheet: Sheet) -> Light:
    return Light(sheet.number(-1.2, 1.2), sheet.number(-1.4, 0.4), sheet.number(0.25, 0.75))


def skins(sheet: Sheet) -> Tensor:
    """Textures (k, s, s) of 0..1, one for three objects."""
    few = sheet.of((sheet.count + 2) // 3)
    return textures.mixed(few, *textures.surface(few))


def painted(sheet: Sheet, place: Place, form: Form, stops: Tensor, worn: Tensor, light: Light) -> Layer:
    """Give forms their colours (n, PARTS, 3), one of the textures `worn` (k, s, s), light and shadow."""
    zoom = sheet.number(0.5, 1.5)
    mine = worn[sheet.choice(range(len(worn)), 1).flatten(), None]
    skin = sample(mine, form.skin[0] * zoom, form.skin[1] * zoom)[:, 0]
    shade, glint = _lit(sheet, form.height + sheet.choice((0.0, 0.0, 0.03, 0.08)) * skin, place.pixel, light)
    shade.mul_(1 + 0.25 * place.tone)
    index = skin.mul_(SHADES - 1).add_(0.5).long().add_(form.part, alpha=SHADES)
    colour = colours.painted(index, _shades(sheet, stops)).mul_(shade[:, None]).add_(glint[:, None]).clamp_(0, 1)
    return Layer(colour, form.alpha * sheet.choice((1.0,) * 9 + (0.6,)), _shadow(sheet, form.alpha, light))


def _shades(sheet: Sheet, stops: Tensor) -> Tensor:
    """The colours of each part from one end of its texture to the other, (n, PARTS * SHADES, 3)."""
    other = colours.harmony(sheet, stops.shape[1])
    second = torch.where(sheet.chance(0.4), other, stops * sheet.uniform(0.3, 1.5, 1, 1))
    share = torch.linspace(0, 1, SHADES, device=sheet.device) * sheet.choice((0.0, 0.15, 0.4, 0.9))
    return torch.lerp(stops[:, :, None], second[:, :, None], share[..., None]).flatten(1, 2)


def _lit(sheet: Sheet, height: Tensor, pixel: Tensor, light: Light) -> tuple[Tensor, Tensor]:
    """Lambert's share of the light, and the glint of shiny skins."""
    gx, gy = torch.zeros_like(height), torch.zeros_like(height)
    torch.sub(height[:, :, 2:], height[:, :, :-2], out=gx[:, :, 1:-1])
    torch.sub(height[:, 2:], height[:, :-2], out=gy[:, 1:-1])
    steep = sheet.number(0.25, 0.55) / pixel
    gx, gy = gx.mul_(steep).clamp_(-4, 4), gy.mul_(steep).clamp_(-4, 4)
    facing = (gx * -light.x).addcmul_(gy, -light.y).add_(1)
    steepness = gx.mul_(gx).addcmul_(gy, gy)
    facing.mul_((steepness + 1).rsqrt_()).div_((1 + light.x**2 + light.y**2).sqrt()).clamp_(min=0)
    shine = facing.square().square_().square_()
    shine = torch.where(sheet.chance(0.5), shine, shine.square().square_())
    shine.mul_(sheet.choice((0.0, 0.0, 0.3, 0.7))).mul_(steepness > 0)
    return facing.mul_(1.25 - light.ambient).add_(light.ambient), shine


def _shadow(sheet: Sheet, alpha: Tensor, light: Light) -> Tensor:
    """The blurred coverage, pushed away from the light, gone where the window ends."""
    reach = sheet.uniform(0.01, 0.08, 1) * sheet.size
    shift = torch.cat([light.x, light.y], 1).flatten(1) * reach
    soft = blur(alpha[:, None], sheet.uniform(0.012, 0.08) * sheet.size, LOW, shift)[:, 0]
    x, y = sheet.grid()
    rim = ((1 - torch.maximum(x.abs(), y.abs())) * 8).clamp(max=1)
    return soft.mul_(rim * sheet.choice((0.0, 0.3, 0.5, 0.7)))
