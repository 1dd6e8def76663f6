// Updates a page in place, keeping focus and selection. Without scripts, links and forms do all of
// it.
import "./actions.js";
import "./chosen.js";
import "./list.js";
import { start } from "./live.js";

start();
