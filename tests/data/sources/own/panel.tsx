// Written for RubberDuck's own tests, so that TSX is among the sources.
import React, { useState, type ReactNode } from "react";

interface PanelProps<T> {
  title: string;
  items: readonly T[];
  render(item: T): ReactNode;
}

export function Panel<T extends { id: number }>({ title, items, render }: PanelProps<T>) {
  const [open, setOpen] = useState<boolean>(true);
  const shown = open ? items : [];
  return (
    <section className="panel" onClick={() => setOpen((value) => !value)}>
      <h2>{title}</h2>
      {shown.length === 0 ? <p>nothing</p> : shown.map((item) => <div key={item.id}>{render(item)}</div>)}
    </section>
  );
}

export default Panel;
