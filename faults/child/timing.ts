/** How often the main thread shows that it lives; a timer that is late by less than this is not seen to be late. */
export const HEARTBEAT_MS = 10;
