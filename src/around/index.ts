export { circuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.js';
export { rateLimit, type RateLimitOptions } from './rate-limit.js';
export { retry, type RetryOptions } from './retry.js';
export { timeout, type TimeoutOptions } from './timeout.js';
