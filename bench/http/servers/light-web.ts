/** `@OnRequest` with `Request`, `Response` and `fetch` replaced: `useLightWeb()`. */
import { useLightWeb } from '../../../src/http/index.js';

useLightWeb();
await import('./on-request.js');
