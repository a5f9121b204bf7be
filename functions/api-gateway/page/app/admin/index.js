// What administrators see, and everybody's own account: loaded when it is needed.
import { AccountView } from "../account.js";
import { ADMIN } from "../texts-admin.js";
import { addTexts } from "../texts.js";

addTexts(ADMIN);
export { AccountView };
export { OperateView } from "./operate.js";
