/** The frame of all pages: where one is, the sections of a project, colours, help and account. */
import { ActionIcon, Anchor, Group, Menu, Text, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useHotkeys, useDisclosure } from "@mantine/hooks";
import { type ReactElement, type ReactNode, useEffect } from "react";
import { Link } from "wouter";

import { HelpSheet } from "#/app/help-sheet.tsx";
import { usePath } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import { signOut, useServer } from "#/app/session.tsx";
import { undoLast } from "#/app/undo.tsx";
import { text } from "#/text/index.ts";
import { Icon, type IconName } from "#/ui/icons.tsx";

import icon from "./icon.svg";

interface Props {
  /** The project that the page belongs to, if any. */
  project?: { id: string; name: string } | undefined;
  /** Buttons of the page, such as Train. */
  actions?: ReactNode;
  children: ReactNode;
}

const SECTIONS: [keyof typeof paths & keyof typeof text.common.nav, IconName][] = [
  ["images", "images"],
  ["label", "sparkle"],
  ["performance", "chart"],
  ["test", "test"],
  ["predictions", "camera"],
  ["settings", "settings"],
];

export function Shell({ project, actions, children }: Props): ReactElement {
  const [help, { toggle, close }] = useDisclosure(false);
  useHotkeys([
    ["?", toggle],
    ["shift+?", toggle],
    ["mod+Z", () => void undoLast()],
  ]);
  useEffect(() => {
    document.title = project ? `${project.name} – ${text.common.product}` : text.common.product;
  }, [project]);
  return (
    <>
      <a className="skip-link" href="#content" onClick={toContent}>
        {text.common.skip}
      </a>
      <header style={{ borderBottom: "1px solid var(--line)" }}>
        <Group px="md" py={8} justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <Anchor component={Link} href={paths.projects} aria-label={text.common.home} underline="never" c="inherit">
              <Group gap={8} wrap="nowrap">
                <img src={icon} alt="" width={28} height={28} />
                <Text fw={700} visibleFrom={project ? "sm" : undefined}>
                  {text.common.product}
                </Text>
              </Group>
            </Anchor>
            {project && (
              <Text fw={600} truncate title={project.name}>
                {project.name}
              </Text>
            )}
          </Group>
          <Group gap={4} wrap="nowrap">
            {actions}
            <Tooltip label={text.common.help}>
              <ActionIcon size="lg" onClick={toggle} aria-label={text.common.help}>
                <Icon name="help" />
              </ActionIcon>
            </Tooltip>
            <Account />
          </Group>
        </Group>
        {project && <Sections project={project.id} />}
      </header>
      <main id="content" tabIndex={-1} style={{ outline: "none" }}>
        {children}
      </main>
      <HelpSheet opened={help} onClose={close} />
    </>
  );
}

function Sections({ project }: { project: string }): ReactElement {
  const [path] = usePath();
  return (
    <nav className="nav" aria-label={text.common.nav.sections} style={{ padding: "0 12px 6px" }}>
      {SECTIONS.map(([section, name]) => {
        const to = paths[section](project);
        return (
          <Link key={section} href={to} aria-current={path === to || path.startsWith(`${to}/`) ? "page" : undefined}>
            <Icon name={name} size={16} />
            {text.common.nav[section]}
          </Link>
        );
      })}
    </nav>
  );
}

function Account(): ReactElement {
  const server = useServer();
  const { setColorScheme } = useMantineColorScheme();
  const other = useComputedColorScheme("light") === "dark" ? "light" : "dark";
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon size="lg" aria-label={text.common.more}>
          <Icon name="key" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {server.resource ?? text.common.product} · {server.role}
        </Menu.Label>
        <Menu.Item component={Link} href={paths.account} leftSection={<Icon name="settings" />}>
          {text.common.account}
        </Menu.Item>
        <Menu.Item leftSection={<Icon name={other === "dark" ? "moon" : "sun"} />} onClick={() => setColorScheme(other)}>
          {text.common[other]}
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="signOut" />} onClick={() => void signOut()}>
          {text.common.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** The fragment is the portal's place, so that a link into the page moves the focus itself. */
function toContent(event: { preventDefault: () => void }): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
