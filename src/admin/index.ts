import '../http/index.js';
import '../websocket/index.js';
export { adminPage } from './admin-page.js';
