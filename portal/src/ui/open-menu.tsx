/** The menu of a button, which opens when it comes. */
import { Menu, Text } from "@mantine/core";
import { cloneElement, Fragment, type ReactElement, useEffect, useRef, useState } from "react";
import { Link } from "wouter";

import { Icon } from "#/ui/icons.tsx";
import type { Item, MenuProps } from "#/ui/menu.tsx";

export default function OpenMenu({ button, title, items }: MenuProps): ReactElement {
  const [opened, setOpened] = useState(false);
  const target = useRef<HTMLButtonElement>(null);
  // The button that was pressed went when this one came: what has the focus now gets it back from the menu.
  useEffect(() => {
    target.current?.focus();
    setOpened(true);
  }, []);
  return (
    <Menu opened={opened} onChange={setOpened} position="bottom-end">
      <Menu.Target>{cloneElement(button, { ref: target })}</Menu.Target>
      <Menu.Dropdown maw={280}>
        {title && <Menu.Label>{title}</Menu.Label>}
        {items.map((group, at) => (
          <Fragment key={group[0]?.label}>
            {at > 0 && <Menu.Divider />}
            {group.map((item) => (
              <Entry key={item.label} item={item} />
            ))}
          </Fragment>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Entry({ item }: { item: Item }): ReactElement {
  const icon = item.icon && <Icon name={item.icon} />;
  const label = (
    <>
      {item.label}
      {item.hint && (
        <Text size="xs" c="var(--quiet)">
          {item.hint}
        </Text>
      )}
    </>
  );
  if (item.to !== undefined) {
    return (
      <Menu.Item component={Link} href={item.to} leftSection={icon}>
        {label}
      </Menu.Item>
    );
  }
  return (
    <Menu.Item leftSection={icon} onClick={item.act}>
      {label}
    </Menu.Item>
  );
}
