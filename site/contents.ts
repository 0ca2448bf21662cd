/** Groups of the site's navigation, each with its pages in the order of a first reading, and the name that each page has there. */
export const CONTENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'First steps': {
    'docs/getting-started.md': 'Getting started',
    'docs/from-nestjs.md': 'From NestJS',
    'docs/from-piscina.md': 'From Piscina',
    'docs/from-eventmachine.md': 'From EventMachine',
    'docs/from-packet.md': 'From Packet',
  },
  Guides: {
    'docs/workers.md': 'Workers',
    'docs/connections.md': 'Connections',
    'docs/endpoints.md': 'Endpoints',
    'docs/framing.md': 'Framings',
    'docs/http.md': 'HTTP',
    'docs/websocket.md': 'Websockets',
    'docs/tls.md': 'TLS',
    'docs/providers.md': 'Providers',
    'docs/around.md': 'Around hooks',
    'docs/lifecycle.md': 'Life cycles',
    'docs/errors.md': 'Errors',
    'docs/testing.md': 'Testing',
    'docs/debugging.md': 'Debugging',
  },
  'More cores and machines': {
    'docs/runtimes.md': 'Processes and threads',
    'docs/multi-core.md': 'Connections on more cores',
    'docs/mesh.md': 'Workers on many machines',
    'docs/performance.md': 'Performance',
  },
  Operation: {
    'docs/command-line.md': 'The command line',
    'docs/deployment.md': 'Deployment',
    'docs/behind-a-proxy.md': 'Behind nginx and HAProxy',
    'docs/internet.md': 'Facing the internet',
    'docs/threat-model.md': 'Threat model',
    'docs/logging.md': 'Logging',
    'docs/observing.md': 'Metrics, traces, health',
    'docs/events.md': 'Events',
    'docs/admin.md': 'The admin page',
  },
  Project: {
    'CHANGELOG.md': 'Changes',
    'CONTRIBUTING.md': 'Contributing',
    'SECURITY.md': 'Security',
    'docs/decisions/README.md': 'Decisions',
  },
};

/** Group of the pages of docs/decisions, behind all others. */
export const DECISIONS = 'Decisions';
