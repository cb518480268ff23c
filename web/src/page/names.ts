/** Files beside the weights, named by what is in them, so that no script meets one of another version. */

declare const DECODER_NAME: string;
declare const WEBP_NAME: string;

/** What workers run. */
export const DECODER = DECODER_NAME;
/** What workers fetch where browsers alter samples of WebP. */
export const WEBP = WEBP_NAME;
