/** Choices as links, so that the URL has the current one; and a select for long lists. */

interface SwitchProps<Value extends string> {
  label: string;
  value: Value;
  options: Readonly<Record<Value, string>>;
  order: readonly Value[];
  to: (value: Value) => string;
}

export function Switch<Value extends string>({ label, value, options, order, to }: SwitchProps<Value>) {
  return (
    <nav class="switch" aria-label={label}>
      {order.map((option) => (
        <a key={option} href={to(option)} aria-current={option === value ? "true" : undefined}>
          {options[option]}
        </a>
      ))}
    </nav>
  );
}

interface SelectProps<Value extends string> {
  label: string;
  value: Value;
  options: Readonly<Record<Value, string>>;
  order?: readonly Value[];
  onChange: (value: Value) => void;
  /** True: the label is visible, not only for screen readers. */
  labelled?: boolean;
}

export function Select<Value extends string>({ label, value, options, order, onChange, labelled = false }: SelectProps<Value>) {
  const values = order ?? (Object.keys(options) as Value[]);
  return (
    <label class={labelled ? "field" : "field field-bare"}>
      <span class={labelled ? "field-label" : "hidden"}>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value as Value)}>
        {values.map((option) => (
          <option key={option} value={option}>
            {options[option]}
          </option>
        ))}
      </select>
    </label>
  );
}
