// Which rights does docs/security.md ask for, as lines of redis.conf and sentinel.conf?
using KeyEvt.Servers;

namespace KeyEvt.EndToEnd.Tests.Support;

/// <summary>A user for the program's own connections that may do what docs/security.md lists, and nothing else.</summary>
internal static class MinimalRights
{
    public const string Login = "watcher:w4tcher-word@";

    public const string NodePassword = "n0de-word";

    private const string User = "user watcher on >w4tcher-word resetchannels resetkeys -@all ";

    private const string Rights =
        "+hello +client|setname +ping +info +role +config|get +config|set +psubscribe +punsubscribe +subscribe +publish &__keyevent@*__:* &__keyevt__:marker* " +
        "+eval +evalsha +script|load +llen +lindex +rpush +ltrim +get +set ~" + Stage.FallbackKey + "*";

    /// <summary>Lines of every node: only who logs in gets in, the program as <see cref="Login"/>, nodes and tests by the password.</summary>
    public static string[] Node(string further = "", string lessen = "") =>
        [$"requirepass {NodePassword}", $"masterauth {NodePassword}", $"{User}{Rights} {further} {lessen}".TrimEnd()];

    /// <summary>Lines of every Sentinel, where the program has another user.</summary>
    public static string[] Sentinel(string lessen = "") =>
    [
        "requirepass s3ntinel-word",
        $"user looker on >l00ker-word resetchannels -@all +ping +sentinel|master +sentinel|replicas +sentinel|sentinels +psubscribe &* {lessen}".TrimEnd(),
    ];

    /// <summary>All rows of check, for people and for the assertion: none but "works" and "note".</summary>
    /// <param name="anybodyMayForge">The user default may publish what it likes, and check warns of that.</param>
    public static void AllWorks(RunResult check, bool anybodyMayForge = false)
    {
        Xunit.Assert.True(check.ExitCode == 0, check.ToString());
        var warnings = check.Output.Split('\n').Where(line => line.Contains("WARNING", StringComparison.Ordinal)).ToList();
        Xunit.Assert.All(warnings, line => Xunit.Assert.True(anybodyMayForge && line.Contains("forged events", StringComparison.Ordinal), line));
        Xunit.Assert.Equal(anybodyMayForge, warnings.Count > 0);
    }
}
