/** Numbers as the user's language writes them. */

const MEGABYTE = 1_000_000;
const GIGABYTE = 1_000_000_000;

export class Units {
  private readonly whole: Intl.NumberFormat;
  private readonly tenths: Intl.NumberFormat;

  constructor(language: string) {
    this.whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
    this.tenths = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  }

  count(value: number): string {
    return this.whole.format(value);
  }

  withTenths(value: number): string {
    return this.tenths.format(value);
  }

  /** Small ones with tenths. */
  megabytes(bytes: number): string {
    return (bytes < 10 * MEGABYTE ? this.tenths : this.whole).format(bytes / MEGABYTE);
  }

  gigabytes(bytes: number): string {
    return (bytes < 10 * GIGABYTE ? this.tenths : this.whole).format(bytes / GIGABYTE);
  }
}
