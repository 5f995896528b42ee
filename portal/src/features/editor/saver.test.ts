/** Whatever is done in whatever order, the server holds in the end what is on the screen. */
import assert from "node:assert/strict";
import { test } from "node:test";

import type { ImageRegion } from "#/api/types.ts";
import type { DrawnBox } from "#/ui/canvas/types.ts";

import { Saver, type Shelf } from "./saver.ts";

/** Holds regions as the server does, and notes what it was asked for. */
class Held implements Shelf {
  regions: ImageRegion[] = [];
  readonly asked: string[] = [];
  broken = false;
  #made = 0;
  readonly #most: number;

  constructor(most = 300) {
    this.#most = most;
  }

  readonly create: Shelf["create"] = async (wanted) => {
    this.#ask(`create ${wanted.length}`);
    const created: ImageRegion[] = [];
    const exceeded = [];
    const duplicated = [];
    for (const { imageId: _, ...box } of wanted) {
      const twin = this.regions.some((each) => each.left === box.left && each.tagId === box.tagId);
      const region = { ...box, regionId: `region-${(this.#made += 1)}`, tagName: null, created: "" };
      if (twin) duplicated.push({ ...box, imageId: "image" });
      else if (this.regions.length >= this.#most) exceeded.push({ ...box, imageId: "image" });
      else {
        this.regions.push(region);
        created.push(region);
      }
    }
    return { created: created.map((each) => ({ ...each, imageId: "image" })), duplicated, exceeded };
  };

  readonly remove: Shelf["remove"] = async (ids) => {
    this.#ask(`remove ${ids.length}`);
    this.regions = this.regions.filter((each) => !ids.includes(each.regionId));
  };

  readonly read: Shelf["read"] = async () => this.regions;

  lefts(): number[] {
    return this.regions.map((each) => each.left).sort((a, b) => a - b);
  }

  #ask(what: string): void {
    this.asked.push(what);
    if (this.broken) throw new Error("no connection");
  }
}

const box = (key: string, left: number, tagId = "screw"): DrawnBox => ({ key, tagId, left, top: 0, width: 0.1, height: 0.1 });

test("a changed box is created before the old one is deleted", async () => {
  const held = new Held();
  const saver = new Saver("image", held);
  saver.want([box("a", 0.1)]);
  assert.ok(await saver.settled());
  saver.want([box("a", 0.2)]);
  assert.ok(await saver.settled());
  assert.deepEqual(held.asked, ["create 1", "create 1", "remove 1"]);
  assert.deepEqual(held.lefts(), [0.2]);
});

test("changes while a request is under way go together with the next", async () => {
  const held = new Held();
  const saver = new Saver("image", held);
  for (const left of [0.1, 0.2, 0.3, 0.4]) saver.want([box("a", left)]);
  assert.ok(await saver.settled());
  assert.deepEqual(held.lefts(), [0.4]);
  assert.ok(held.asked.length <= 3, String(held.asked));
});

test("what failed stays wanted, and a new attempt brings it", async () => {
  const held = new Held();
  const saver = new Saver("image", held);
  held.broken = true;
  saver.want([box("a", 0.1)]);
  assert.equal(await saver.settled(), false);
  held.broken = false;
  saver.retry();
  assert.ok(await saver.settled());
  assert.deepEqual(held.lefts(), [0.1]);
});

test("a box that arrived although its answer was lost is found again, not doubled", async () => {
  const held = new Held();
  const saver = new Saver("image", { ...held, create: async (wanted) => (await held.create(wanted), Promise.reject(new Error("cut off"))) });
  saver.want([box("a", 0.1)]);
  assert.equal(await saver.settled(), false);
  const again = new Saver("image", held);
  again.want([box("a", 0.1)]);
  assert.ok(await again.settled());
  again.want([]);
  assert.ok(await again.settled());
  assert.deepEqual(held.lefts(), []);
});

test("on a full image a box is exchanged, and one more is refused with a reason", async () => {
  const held = new Held(2);
  const saver = new Saver("image", held);
  saver.want([box("a", 0.1), box("b", 0.2)]);
  assert.ok(await saver.settled());
  saver.want([box("a", 0.1), box("b", 0.3)]);
  assert.ok(await saver.settled());
  assert.deepEqual(held.lefts(), [0.1, 0.3]);
  saver.want([box("a", 0.1), box("b", 0.3), box("c", 0.5)]);
  assert.equal(await saver.settled(), false);
});

test("hundreds of boxes go in requests of 64", async () => {
  const held = new Held();
  const saver = new Saver("image", held);
  saver.want(Array.from({ length: 300 }, (_, at) => box(`box-${at}`, at / 1000)));
  assert.ok(await saver.settled());
  assert.equal(held.regions.length, 300);
  assert.equal(held.asked.length, 5);
  saver.want([]);
  assert.ok(await saver.settled());
  assert.equal(held.regions.length, 0);
});

test("what a server says was there at the beginning is not sent again", async () => {
  const held = new Held();
  await held.create([{ imageId: "image", ...box("x", 0.1) }]);
  const saver = new Saver("image", held);
  saver.begin([box("a", 0.1)], held.regions);
  saver.want([box("a", 0.1)]);
  assert.ok(await saver.settled());
  saver.want([box("a", 0.1, "nut")]);
  assert.ok(await saver.settled());
  assert.deepEqual(held.asked, ["create 1", "create 1", "remove 1"]);
  assert.equal(held.regions[0]?.tagId, "nut");
});
