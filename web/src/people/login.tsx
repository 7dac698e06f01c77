/** Logging in: the form, and the page of a server that shows nothing without it. */
import { useState } from "preact/hooks";
import { LOGIN } from "../api/documents";
import type { Problem } from "../api/problems";
import { problemTexts } from "../components/message";
import { t } from "../i18n";
import { useTitle } from "../views/title";
import { change, restart } from "./viewer";

export function LoginView() {
  const words = t().people;
  useTitle(words.logIn);
  return (
    <div class="login">
      <h1>{words.logIn}</h1>
      <p class="quiet">{words.closedHint}</p>
      <LoginForm />
    </div>
  );
}

export function LoginForm() {
  const words = t().people;
  return (
    <CredentialsForm
      id="login"
      button={words.logIn}
      nameLabel={words.name}
      onSend={async (name, password) => {
        const problem = await change(LOGIN, { input: { name, password } });
        if (!problem) restart();
        return problem;
      }}
    />
  );
}

interface CredentialsProps {
  id: string;
  button: string;
  nameLabel: string;
  /** A choice below the password; its value goes to `onSend`. */
  remember?: string;
  onSend: (name: string, password: string, remember: boolean) => Promise<Problem | null>;
}

/** A name and a password; a refusal stands below them, in words. */
export function CredentialsForm({ id, button, nameLabel, remember, onSend }: CredentialsProps) {
  const words = t().people;
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setProblem(await onSend(String(form.get("name")), String(form.get("password")), form.get("remember") !== null));
    setBusy(false);
  };
  return (
    <form class="credentials" onSubmit={(event) => void send(event)}>
      <label class="field">
        <span class="field-label">{nameLabel}</span>
        <input type="text" name="name" required autocomplete="username" autocapitalize="none" spellcheck={false} />
      </label>
      <label class="field">
        <span class="field-label">{words.password}</span>
        <input name="password" type="password" required autocomplete="current-password" />
      </label>
      {remember && (
        <label class="choice">
          <input name="remember" type="checkbox" /> {remember}
        </label>
      )}
      <Refused id={id} problem={problem} />
      <button type="submit" class="button button-primary" disabled={isBusy}>{button}</button>
    </form>
  );
}

/** Why something was refused; wrong credentials have words of their own. */
export function Refused({ id, problem }: { id: string; problem: Problem | null }) {
  const words = t().people;
  if (!problem) return <p id={`${id}-refused`} class="refused" role="alert" hidden />;
  const text = problem.code === "UNAUTHENTICATED" ? words.wrong : problem.code === "INVALID_INPUT" ? problem.message : problemTexts(problem)[0];
  const wait = problem.retryAfter ? ` ${t().problem.retryIn(problem.retryAfter)}` : "";
  return <p id={`${id}-refused`} class="refused" role="alert">{text + wait}</p>;
}
