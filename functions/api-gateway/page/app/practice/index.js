// What students practise with: loaded when it is needed.
import { PRACTICE } from "../texts-practice.js";
import { addTexts } from "../texts.js";

addTexts(PRACTICE);
export { ExercisesView, ExerciseView } from "./exercises.js";
export { QuizzesView, QuizView } from "./quizzes.js";
export { ProgressView } from "./progress.js";
