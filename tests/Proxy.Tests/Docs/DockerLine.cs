namespace KeyEvt.Proxy.Tests.Docs;

/// <summary>What does a line of docker start, with which variables and arguments?</summary>
/// <param name="UnknownOption">The first option that is not in the lists here.</param>
/// <param name="Image">Of <c>docker run</c>.</param>
internal sealed record DockerLine(string? UnknownOption, string? Image, IReadOnlyList<string> Arguments, IReadOnlyList<KeyValuePair<string, string>> Variables)
{
    private static readonly string[] Alone = ["-d", "--detach", "--rm", "-i", "-it", "-t", "--init", "--read-only", "--no-cache", "--follow", "-f", "--load", "--push"];

    private static readonly string[] WithValue =
        ["-p", "--publish", "-e", "--env", "--env-file", "-v", "--volume", "--mount", "--name", "--network", "--restart", "--user", "--stop-timeout", "--ulimit", "--memory", "--cpus", "--label", "--build-arg", "--platform", "--tag"];

    /// <summary>Words behind "docker".</summary>
    public static DockerLine Read(IReadOnlyList<string> words)
    {
        bool isRun = words is ["run", ..], isBuild = words is ["build" or "buildx", ..];
        var variables = new List<KeyValuePair<string, string>>();
        for (var at = 1; at < words.Count; at++)
        {
            var word = words[at];
            if (!word.StartsWith('-'))
            {
                if (isRun) return new DockerLine(null, word.Split(':')[0], [.. words.Skip(at + 1)], variables);
                continue;
            }

            var name = word.Split('=')[0];
            var hasValue = WithValue.Contains(name) || (isBuild && name is "-t" or "-f");
            if (!hasValue && !Alone.Contains(name)) return new DockerLine(word, null, [], variables);
            if (!hasValue) continue;
            var value = word.Contains('=', StringComparison.Ordinal) ? word[(name.Length + 1)..] : ++at < words.Count ? words[at] : "";
            if (name is "-e" or "--env" && value.Split('=', 2) is [var variable, var its] && variable.StartsWith("KEYEVT_", StringComparison.Ordinal))
            {
                variables.Add(KeyValuePair.Create(variable, its));
            }
        }

        return new DockerLine(null, null, [], variables);
    }
}
