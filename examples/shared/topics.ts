/** What comes under this topic a broker here takes and never acknowledges: tried, and never known to be sent. */
export const UNANSWERED = "unanswered/";
