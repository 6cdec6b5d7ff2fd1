/** How many images, how often. */
export interface ImagePlan {
  form: 'full' | 'quick' | 'smoke';
  rounds: number;
  images: number;
  /** Frames of 512 × 512 × 16 bit of the one large instance. */
  frames: number;
  sealingMb: number;
  /** Whether dcmjs-dimse is fetched from the registry and measured. */
  dimse: boolean;
}

export const imagePlans: Record<ImagePlan['form'], ImagePlan> = {
  full: { form: 'full', rounds: 3, images: 2000, frames: 2048, sealingMb: 400, dimse: true },
  quick: { form: 'quick', rounds: 1, images: 200, frames: 400, sealingMb: 100, dimse: true },
  smoke: { form: 'smoke', rounds: 1, images: 20, frames: 40, sealingMb: 10, dimse: false },
};
