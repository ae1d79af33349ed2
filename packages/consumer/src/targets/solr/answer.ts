// What Solr said to a request.

export interface Answer {
  readonly status: number;
  readonly text: string;
}
