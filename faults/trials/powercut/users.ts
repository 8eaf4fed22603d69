/** How many users a host has, and servers each. */
export const USERS = 4;
export const SERVERS = 3;
