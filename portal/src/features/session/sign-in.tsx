/** The page that opens the portal: with a key, or with the link of the server. */
import { Button, Card, Center, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type ReactElement, useEffect, useState } from "react";

import { go, usePath, useQueryValues } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import { signIn, useLookAgain } from "#/app/session.tsx";
import { text } from "#/text/index.ts";
import { Failure, Loading } from "#/ui/feedback.tsx";
import { Icon } from "#/ui/icons.tsx";

export default function SignIn(): ReactElement {
  const [key, setKey] = useState("");
  const [path] = usePath();
  const [values] = useQueryValues();
  const lookAgain = useLookAgain();
  const entering = useMutation({
    mutationFn: signIn,
    onSuccess: async () => {
      if (path === paths.signIn) go(paths.projects, { replace: true });
      await lookAgain();
    },
  });
  const link = path === paths.signIn && values.has("sig") ? values.toString() : "";
  const { mutate } = entering;
  useEffect(() => {
    if (link) mutate({ link });
  }, [link, mutate]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    mutate({ key });
  };
  if (link && !entering.isError) return <Loading label={text.session.opening} />;
  return (
    <Center component="main" mih="100dvh" p="md">
      <Card withBorder shadow="sm" padding="xl" maw={440} w="100%" component="form" onSubmit={submit}>
        <Stack>
          <Icon name="key" size={32} />
          <Title order={1} size="h2">
            {text.session.title}
          </Title>
          <Text>{text.session.why}</Text>
          <PasswordInput
            label={text.session.key}
            description={text.session.keyHint}
            autoComplete="current-password"
            value={key}
            onChange={(event) => setKey(event.currentTarget.value)}
            required
            withAsterisk={false}
            data-autofocus
          />
          {entering.error && <Failure error={entering.error} />}
          <Button type="submit" loading={entering.isPending} fullWidth>
            {text.session.signIn}
          </Button>
          <Text size="sm" c="var(--quiet)">
            {text.session.link}
          </Text>
        </Stack>
      </Card>
    </Center>
  );
}
