import fc from "fast-check";

/** In ms. A change that breaks a property does so in one of the first histories; a thousand more only cost time. */
const LONGEST_PROPERTY_MS = 400;

fc.configureGlobal({ interruptAfterTimeLimit: LONGEST_PROPERTY_MS });
