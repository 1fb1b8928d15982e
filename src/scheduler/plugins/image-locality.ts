import { highestScore, type Plugin } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";

const megabyte = 1024 * 1024;
/** Less than this present is not worth a thought; more than this per container makes no difference. */
const least = 23 * megabyte;
const mostPerContainer = 1000 * megabyte;

/** The name with a tag, as nodes report images. */
function withTag(image: string): string {
  return image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image;
}

function sizeOn({ node }: NodeInfo, image: string): number {
  return node?.status.images?.find(({ names }) => names?.includes(image))?.sizeBytes ?? 0;
}

/** Prefers nodes that have the pod's images, the more the larger they are and the more widely they are spread. */
export const imageLocality: Plugin = {
  name: "ImageLocality",
  weight: 1,
  wokenBy: [],
  prepareScore({ spec }, snapshot) {
    const containers = [...(spec.initContainers ?? []), ...spec.containers];
    const images = containers
      .map(({ image = "" }) => withTag(image))
      .map((image) => ({ image, share: snapshot.nodesWithImage(image) / snapshot.nodes.length }))
      .filter(({ share }) => share > 0);
    if (images.length === 0) return undefined;
    const most = mostPerContainer * containers.length;
    return {
      score: (nodes) =>
        nodes.map((node) => {
          const sum = images.reduce(
            (total, { image, share }) => total + Math.floor(sizeOn(node, image) * share),
            0,
          );
          const within = Math.min(Math.max(sum, least), most);
          return Math.floor((highestScore * (within - least)) / (most - least));
        }),
    };
  },
};
