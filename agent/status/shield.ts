import type { MiddlewareHandler } from 'hono';

/** The parts of a request the shield looks at; header names in lower case. */
export interface ShieldedRequest {
  method: string;
  path: string;
  header(name: string): string | undefined;
}

export interface Refusal {
  status: 403 | 405 | 415 | 421;
  /** For a person, both languages, one line each: what to do. */
  text: string;
}

const hostsOf = (port: number): string[] =>
  ['127.0.0.1', 'localhost', '[::1]'].flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]));

/** What may be posted: searches, whose terms must not stand in a URL, and what does no harm twice (decision 0011). */
const posted = /^\/api\/v1\/(messages\/search|studies\/(search|\d{1,15}\/resend))$/;

/**
 * Whether a request may pass (reference/surface.md §9.2): the exact Host names of the loopback address
 * (against DNS rebinding), GET but for what the page itself posts, and from other sites nothing but a
 * top-level navigation to `/`. `same-site` is refused like `cross-site`: two ports of localhost are the
 * same site. Browsers without Sec-Fetch-Site are held to Origin, and may not post.
 */
export function judge(request: ShieldedRequest, port: number): Refusal | undefined {
  const allowed = hostsOf(port);
  const host = (request.header('host') ?? '').toLowerCase();
  if (!allowed.includes(host)) {
    const url = `http://127.0.0.1:${port}/`;
    return {
      status: 421,
      text: `状态页只能在本机打开，地址是 ${url}\nThe status page opens on this machine only, at ${url}\n`,
    };
  }
  if (request.method === 'POST' && posted.test(request.path)) return judgePost(request, host);
  if (request.method !== 'GET') {
    return {
      status: 405,
      text: '状态页只能查看，不接受修改。请用 GET。\nThe status page is read-only. Use GET.\n',
    };
  }
  const site = request.header('sec-fetch-site');
  const fromElsewhere = elsewhere(host);
  if (site === undefined) {
    const origin = request.header('origin');
    return origin === undefined || origin.toLowerCase() === `http://${host}` ? undefined : fromElsewhere;
  }
  if (site === 'same-origin' || site === 'none') return undefined;
  const opensPage =
    request.path === '/' &&
    request.header('sec-fetch-mode') === 'navigate' &&
    request.header('sec-fetch-dest') === 'document';
  return opensPage ? undefined : fromElsewhere;
}

const elsewhere = (host: string): Refusal => ({
  status: 403,
  text: `别的网页不能读取状态页。请直接打开 http://${host}/\nOther pages cannot read the status page. Open http://${host}/ itself.\n`,
});

/**
 * Only the page itself posts: the browser says so twice, in headers that no page can set, and the content type is one that
 * no form can send. A program without a browser has the command line.
 */
function judgePost(request: ShieldedRequest, host: string): Refusal | undefined {
  const mine = request.header('sec-fetch-site') === 'same-origin';
  if (!mine || request.header('origin')?.toLowerCase() !== `http://${host}`) return elsewhere(host);
  const [type = ''] = (request.header('content-type') ?? '').split(';');
  if (type.trim().toLowerCase() === 'application/json') return undefined;
  return { status: 415, text: '请求内容必须是 JSON。\nThe content must be JSON.\n' };
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** On every answer, refusals too. Nothing is cached: the page and its data belong together. */
export const shieldHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cache-Control': 'no-store',
};

/** The shield as the first middleware of a server that is bound to `port()`. */
export function shield(port: () => number): MiddlewareHandler {
  return async (c, next) => {
    const { method, path } = c.req;
    const refusal = judge({ method, path, header: (name) => c.req.header(name) }, port());
    if (refusal !== undefined) {
      const headers: Record<string, string> = { ...shieldHeaders };
      if (refusal.status === 405) headers.Allow = 'GET';
      return c.text(refusal.text, refusal.status, headers);
    }
    await next();
    for (const [name, value] of Object.entries(shieldHeaders)) c.res.headers.set(name, value);
    return undefined;
  };
}
