// What teachers see: loaded when it is needed.
import { PRACTICE } from "../texts-practice.js";
import { TEACHER } from "../texts-teacher.js";
import { addTexts } from "../texts.js";

// A teacher sees grades in the words in which students see them.
addTexts(PRACTICE);
addTexts(TEACHER);
export { AlertsView } from "./alerts.js";
export { ClassesView, ClassView } from "./classes.js";
export { StudentView } from "./student.js";
