/** The person's menu: login, account of the site, access tokens, password, users, logout. */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import {
  ACCOUNT, CHANGE_PASSWORD, CONNECT_SITE, CREATE_TOKEN, CREATE_USER, DISCONNECT_SITE, LOGOUT, REMOVE_USER, REVOKE_TOKEN,
} from "../api/documents";
import { useQuery } from "../api/hooks";
import type { Problem } from "../api/problems";
import type { AccessToken, SiteAccount, User, Viewer } from "../api/types";
import { Icon } from "../components/icons";
import { ProblemMessage } from "../components/message";
import { Panel } from "../components/panel";
import { t } from "../i18n";
import { day } from "../i18n/formats";
import { removeAllKept } from "../offline/kept";
import { href } from "../router";
import { CredentialsForm, LoginForm, Refused } from "./login";
import { Notifications } from "./notifications";
import { change, restart, viewer } from "./viewer";

export const isMenuOpen = signal(false);

/** The user that everybody is while the server has no account; it has no password and can't log out. */
const OWNER = "owner";

export function PersonMenu() {
  if (!isMenuOpen.value) return null;
  const words = t().people;
  const person = viewer.value;
  return (
    <Panel id="person" title={person ? person.user.name : words.logIn} onClose={() => (isMenuOpen.value = false)}>
      <div class="person">{person ? <Person person={person} /> : <LoginForm />}</div>
    </Panel>
  );
}

function Person({ person }: { person: Viewer }) {
  const words = t().people;
  const [refusal, setRefusal] = useState<Problem | null>(null);
  const { data, problem, reload } = useQuery<{ viewer: { accessTokens: AccessToken[]; users: User[] | null } | null }>(ACCOUNT, {}, "network-only");
  const users = data?.viewer?.users ?? null;
  const isOpen = person.user.name === OWNER && users !== null && users.length === 0;
  return (
    <>
      <nav class="person-links" aria-label={words.yours}>
        <a class="button" href={href(["library"])}><Icon name="library" size={16} /> {t().library.title}</a>
        <a class="button" href={href(["favorites"])}><Icon name="heart" size={16} /> {words.favorites}</a>
        <a class="button" href={href(["history"])}><Icon name="clock" size={16} /> {words.history}</a>
      </nav>
      {isOpen && <p class="quiet">{words.openHint}</p>}
      <Site account={person.siteAccount} />
      {!data && problem && <ProblemMessage problem={problem} onRetry={reload} />}
      <Notifications />
      <Tokens tokens={data?.viewer?.accessTokens ?? []} onChange={reload} />
      {!isOpen && <Password />}
      {users !== null && <Users users={users} own={person.user.id} onChange={isOpen ? restart : reload} />}
      {!isOpen && (
        <button type="button" class="button" onClick={() => void change(LOGOUT, {}, () => void removeAllKept().then(restart)).then(setRefusal)}>{words.logOut}</button>
      )}
      <Refused id="logout" problem={refusal} />
    </>
  );
}

function Site({ account }: { account: SiteAccount | null }) {
  const words = t().people;
  const isConnected = account?.state === "CONNECTED";
  const [problem, setProblem] = useState<Problem | null>(null);
  return (
    <section class="person-part">
      <h3>{words.site}</h3>
      {account && <p>{isConnected ? words.connected(account.username) : words.expired(account.username)}</p>}
      {isConnected ? (
        <>
          <button type="button" class="button button-small" onClick={() => void change(DISCONNECT_SITE, {}, restart).then(setProblem)}>
            {words.disconnect}
          </button>
          <Refused id="disconnect" problem={problem} />
        </>
      ) : (
        <>
          <p class="quiet">{words.siteHint}</p>
          <CredentialsForm
            id="site"
            button={words.connect}
            nameLabel={words.siteName}
            remember={words.remember}
            onSend={async (username, password, remember) => {
              const problem = await change(CONNECT_SITE, { input: { username, password, remember } });
              if (!problem) restart();
              return problem;
            }}
          />
        </>
      )}
    </section>
  );
}

function Tokens({ tokens, onChange }: { tokens: readonly AccessToken[]; onChange: () => void }) {
  const words = t().people;
  const [made, setMade] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const create = async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const input = { label: String(fields.get("label")), scope: String(fields.get("scope")) };
    setProblem(await change<{ token: string }>(CREATE_TOKEN, { input }, ({ token }) => {
      setMade(token);
      form.reset();
      onChange();
    }));
  };
  return (
    <section class="person-part">
      <h3>{words.tokens}</h3>
      <p class="quiet">{words.tokensHint}</p>
      <ul class="person-list" role="list">
        {tokens.map((token) => (
          <li key={token.id}>
            <span>{token.label} <span class="quiet">{words.scopes[token.scope] ?? token.scope} · {day(token.createdAt.slice(0, 10))}</span></span>
            <button type="button" class="button button-small" aria-label={words.revokeOf(token.label)} onClick={() => void change(REVOKE_TOKEN, { id: token.id }, onChange).then(setProblem)}>
              {words.revoke}
            </button>
          </li>
        ))}
      </ul>
      {made && <p class="token-made" role="status">{words.tokenOnce} <code>{made}</code></p>}
      <form class="person-form" onSubmit={(event) => void create(event)}>
        <input type="text" name="label" required maxLength={100} placeholder={words.label} aria-label={words.label} />
        <select name="scope" aria-label={words.scope}>
          <option value="READ">{words.scopes["READ"]}</option>
          <option value="WRITE" selected>{words.scopes["WRITE"]}</option>
        </select>
        <button type="submit" class="button button-small">{words.create}</button>
      </form>
      <Refused id="token" problem={problem} />
    </section>
  );
}

function Password() {
  const words = t().people;
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isDone, setDone] = useState(false);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const input = { oldPassword: String(fields.get("old")), newPassword: String(fields.get("new")) };
    const refused = await change(CHANGE_PASSWORD, { input });
    setProblem(refused);
    setDone(refused === null);
    if (!refused) form.reset();
  };
  return (
    <details class="person-part">
      <summary>{words.changePassword}</summary>
      <form class="credentials" onSubmit={(event) => void save(event)}>
        <label class="field">
          <span class="field-label">{words.oldPassword}</span>
          <input name="old" type="password" required autocomplete="current-password" />
        </label>
        <label class="field">
          <span class="field-label">{words.newPassword}</span>
          <input name="new" type="password" required minLength={8} maxLength={256} autocomplete="new-password" />
        </label>
        <Refused id="password" problem={problem} />
        {isDone && <p role="status">{words.passwordChanged}</p>}
        <button type="submit" class="button button-small">{words.save}</button>
      </form>
    </details>
  );
}

function Users({ users, own, onChange }: { users: readonly User[]; own: string; onChange: () => void }) {
  const words = t().people;
  const [problem, setProblem] = useState<Problem | null>(null);
  const add = async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const input = { name: String(fields.get("name")), password: String(fields.get("password")), isAdmin: fields.get("admin") !== null };
    setProblem(await change(CREATE_USER, { input }, () => {
      form.reset();
      onChange();
    }));
  };
  const remove = async (user: User): Promise<void> => {
    if (confirm(words.removeSure(user.name))) setProblem(await change(REMOVE_USER, { id: user.id }, onChange));
  };
  return (
    <details class="person-part">
      <summary>{words.users}</summary>
      <ul class="person-list" role="list">
        {users.map((user) => (
          <li key={user.id}>
            <span>{user.name} {user.isAdmin && <span class="quiet">{words.admin}</span>}</span>
            {user.id !== own && (
              <button type="button" class="button button-small" aria-label={words.removeOf(user.name)} onClick={() => void remove(user)}>{words.remove}</button>
            )}
          </li>
        ))}
      </ul>
      {users.length === 0 && <p class="quiet">{words.firstUserHint}</p>}
      <form class="credentials" onSubmit={(event) => void add(event)}>
        <label class="field">
          <span class="field-label">{words.name}</span>
          <input type="text" name="name" required minLength={3} maxLength={32} autocomplete="off" autocapitalize="none" />
        </label>
        <label class="field">
          <span class="field-label">{words.password}</span>
          <input name="password" type="password" required minLength={8} maxLength={256} autocomplete="new-password" />
        </label>
        <label class="choice"><input name="admin" type="checkbox" /> {words.admin}</label>
        <Refused id="user" problem={problem} />
        <button type="submit" class="button button-small">{words.addUser}</button>
      </form>
    </details>
  );
}
