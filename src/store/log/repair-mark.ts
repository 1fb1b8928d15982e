/** The file that is there while a repair is under way, with what it works on. */
export const repairMark = "repairing";
