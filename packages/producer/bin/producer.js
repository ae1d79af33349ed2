#!/usr/bin/env node
// Kafka's client makes garbage faster than anything else here, most of it outside of the heap. A heap that is collected when
// it has grown by so many percent keeps the process some 50 MB smaller, for a few percent of its speed (measured).
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--heap-growing-percent=150');
await import('../dist/cli/main.js');
