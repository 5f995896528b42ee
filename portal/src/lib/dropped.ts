/** Files and folders that were dropped or chosen, each file with the name of the folder that it was in. */

export interface Found {
  file: File;
  /** The innermost folder; empty: none. */
  folder: string;
}

const PICTURE = /\.(jpe?g|png|bmp|gif)$/i;
const HIDDEN = /^\./;

export const isPicture = (file: File): boolean =>
  !HIDDEN.test(file.name) && (file.type ? file.type.startsWith("image/") : PICTURE.test(file.name));

/** What a file input holds; with folders, each file knows its path. */
export function chosen(files: Iterable<File>): Found[] {
  return [...files].filter(isPicture).map((file) => {
    const path = file.webkitRelativePath.split("/");
    return { file, folder: path.at(-2) ?? "" };
  });
}

/** All that was dropped, folders walked through. */
export async function dropped(data: DataTransfer): Promise<Found[]> {
  // The entries must be taken before the first pause: the browser empties the list then.
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (!entries.length) return chosen(data.files);
  const found: Found[] = [];
  for (const entry of entries) await walk(entry, "", found);
  return found;
}

async function walk(entry: FileSystemEntry, folder: string, found: Found[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    if (isPicture(file)) found.push({ file, folder });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives a hundred entries at a time, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const each of some) await walk(each, entry.name, found);
  }
}
