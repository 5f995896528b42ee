/** The frame of all pages: where one is, the sections of a project, colours, help and account. */
import { ActionIcon, Anchor, Group, Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useHotkeys, useDisclosure } from "@mantine/hooks";
import { type ReactElement, type ReactNode, useEffect } from "react";
import { Link } from "wouter";

import { usePath } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import { signOut, useServer } from "#/app/session.tsx";
import { undoLast } from "#/app/undo.tsx";
import { text } from "#/text/index.ts";
import { Icon, type IconName } from "#/ui/icons.tsx";
import { later } from "#/ui/later.tsx";
import { Menu } from "#/ui/menu.tsx";
import { ToolButton } from "#/ui/tool-button.tsx";

import icon from "./icon.svg";

interface Props {
  /** The project that the page belongs to, if any. */
  project?: { id: string; name: string } | undefined;
  /** Buttons of the page, such as Train. */
  actions?: ReactNode;
  children: ReactNode;
}

const HelpSheet = later(() => import("#/app/help-sheet.tsx"));

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
            <ToolButton label={text.common.help} icon="help" act={toggle} />
            <Account />
          </Group>
        </Group>
        {project && <Sections project={project.id} />}
      </header>
      <main id="content" tabIndex={-1} style={{ outline: "none" }}>
        {children}
      </main>
      {help && <HelpSheet onClose={close} />}
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
    <Menu
      title={`${server.resource ?? text.common.product} · ${server.role}`}
      button={
        <ActionIcon size="lg" aria-label={text.common.more}>
          <Icon name="key" />
        </ActionIcon>
      }
      items={[
        [
          { label: text.common.account, icon: "settings", to: paths.account },
          { label: text.common[other], icon: other === "dark" ? "moon" : "sun", act: () => setColorScheme(other) },
          { label: text.common.signOut, icon: "signOut", act: () => void signOut() },
        ],
      ]}
    />
  );
}

/** The fragment is the portal's place, so that a link into the page moves the focus itself. */
function toContent(event: { preventDefault: () => void }): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
