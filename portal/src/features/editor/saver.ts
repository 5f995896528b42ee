/** Brings the boxes on the screen to the server: what is wanted is compared with what is known to be there. */
import { MOST_AT_ONCE, type NewRegion } from "#/api/regions.ts";
import type { ImageRegion, ImageRegionCreateSummary } from "#/api/types.ts";
import { type Box, same } from "#/lib/geometry.ts";
import { text } from "#/text/index.ts";
import type { DrawnBox } from "#/ui/canvas/types.ts";

/** The calls that a saver makes, for one image. */
export interface Shelf {
  create: (regions: readonly NewRegion[]) => Promise<ImageRegionCreateSummary>;
  remove: (regionIds: readonly string[]) => Promise<unknown>;
  read: () => Promise<readonly ImageRegion[]>;
}

export type SaveState = { kind: "saved" } | { kind: "saving" } | { kind: "failed"; error: unknown };
type List = readonly DrawnBox[];
type Kept = Box & { tagId: string; regionId: string };

/**
 * The API changes no region: a changed box is created anew, and only then is the old one deleted, so that none is ever
 * lost. Changes are sent at once, one request after another; what changed meanwhile goes with the next.
 */
export class Saver {
  state: SaveState = { kind: "saved" };
  #wanted: List = [];
  readonly #kept = new Map<string, Kept>();
  readonly #obsolete = new Set<string>();
  readonly #image: string;
  readonly #shelf: Shelf;
  readonly #told: (regions: readonly Kept[]) => void;
  readonly #listeners = new Set<() => void>();
  #run: Promise<void> | null = null;

  constructor(image: string, shelf: Shelf, told: (regions: readonly Kept[]) => void = () => undefined) {
    this.#image = image;
    this.#shelf = shelf;
    this.#told = told;
  }

  /** Take regions of the server for those with the keys of the boxes made of them. */
  begin(boxes: List, regions: readonly ImageRegion[]): void {
    this.#wanted = boxes;
    for (const [at, box] of boxes.entries()) {
      const region = regions[at];
      if (region) this.#keep(box.key, region);
    }
  }

  readonly subscribe = (heard: () => void): (() => void) => {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  };

  readonly current = (): SaveState => this.state;

  want(boxes: List): void {
    this.#wanted = boxes;
    this.retry();
  }

  readonly retry = (): void => {
    if (!this.#run && this.#differs()) this.#run = this.#bring().finally(() => (this.#run = null));
  };

  /** Wait until nothing is under way; give whether all is on the server. */
  async settled(): Promise<boolean> {
    while (this.#run) await this.#run;
    return this.state.kind === "saved";
  }

  async #bring(): Promise<void> {
    this.#tell({ kind: "saving" });
    try {
      while (this.#differs()) await this.#step();
      this.#tell({ kind: "saved" });
    } catch (error) {
      this.#tell({ kind: "failed", error });
    }
    this.#told([...this.#kept.values()]);
  }

  async #step(): Promise<void> {
    const changed = this.#changed();
    for (let at = 0; at < changed.length; at += MOST_AT_ONCE) await this.#create(changed.slice(at, at + MOST_AT_ONCE));
    const wanted = new Set(this.#wanted.map((box) => box.key));
    for (const [key, kept] of this.#kept) {
      if (wanted.has(key)) continue;
      this.#kept.delete(key);
      this.#obsolete.add(kept.regionId);
    }
    await this.#clear();
  }

  async #create(boxes: List): Promise<void> {
    const summary = await this.#shelf.create(boxes.map((box) => this.#region(box)));
    const created = [...summary.created];
    const left: DrawnBox[] = [];
    for (const box of boxes) {
      const at = created.findIndex((each) => alike(each, box));
      const [found] = at < 0 ? [] : created.splice(at, 1);
      if (found) this.#keep(box.key, found);
      else left.push(box);
    }
    if (left.length > 0) await this.#settle(left, summary.exceeded);
  }

  /** Boxes that the server did not make: they are there already, or the image is full. */
  async #settle(boxes: List, exceeded: readonly Box[]): Promise<void> {
    const there = await this.#shelf.read();
    const taken = new Set([...this.#kept.values()].map((kept) => kept.regionId));
    for (const box of boxes) {
      const twins = there.filter((region) => alike(region, box));
      const found = twins.find((region) => !taken.has(region.regionId)) ?? twins[0];
      if (found) {
        taken.add(found.regionId);
        this.#keep(box.key, found);
      } else if (exceeded.length > 0) await this.#exchange(box);
      else throw new Error(text.editor.lost);
    }
  }

  /** On a full image the old box has to go before the new one finds a place. */
  async #exchange(box: DrawnBox): Promise<void> {
    const old = this.#kept.get(box.key);
    if (!old) throw new Error(text.editor.full);
    this.#kept.delete(box.key);
    this.#obsolete.add(old.regionId);
    await this.#clear();
    const [made] = (await this.#shelf.create([this.#region(box)])).created;
    if (made) this.#keep(box.key, made);
  }

  async #clear(): Promise<void> {
    const needed = new Set([...this.#kept.values()].map((kept) => kept.regionId));
    for (const id of this.#obsolete) if (needed.has(id)) this.#obsolete.delete(id);
    while (this.#obsolete.size > 0) {
      const some = [...this.#obsolete].slice(0, MOST_AT_ONCE);
      await this.#shelf.remove(some);
      for (const id of some) this.#obsolete.delete(id);
    }
  }

  #keep(key: string, region: Box & { tagId: string; regionId: string }): void {
    const old = this.#kept.get(key);
    if (old && old.regionId !== region.regionId) this.#obsolete.add(old.regionId);
    this.#kept.set(key, region);
  }

  #changed(): List {
    return this.#wanted.filter((box) => {
      const kept = this.#kept.get(box.key);
      return !kept || !alike(kept, box);
    });
  }

  #differs(): boolean {
    return this.#obsolete.size > 0 || this.#wanted.length !== this.#kept.size || this.#changed().length > 0;
  }

  #region({ tagId, left, top, width, height }: DrawnBox): NewRegion {
    return { imageId: this.#image, tagId, left, top, width, height };
  }

  #tell(state: SaveState): void {
    this.state = state;
    for (const heard of this.#listeners) heard();
  }
}

const alike = (one: Box & { tagId: string }, other: Box & { tagId: string }): boolean =>
  one.tagId === other.tagId && same(one, other);
