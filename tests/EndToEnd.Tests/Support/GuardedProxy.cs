// Before which Redis do the authorisation tests stand?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Support;

/// <summary>
/// A class fixture: a Redis with a password and three users, and keyevt before it. "low" may do everything but CONFIG, "tiny" next to nothing,
/// "ops" may CONFIG GET and nothing else of CONFIG.
/// </summary>
public sealed class GuardedProxy : IAsyncLifetime
{
    public const string RootPassword = "root-password";
    public const string UserPassword = "user-password";

    public RedisServer Redis { get; private set; } = null!;

    public KeyEvtProcess Program { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Redis = await RedisServer.StartAsync(
            $"requirepass {RootPassword}",
            $"user low on >{UserPassword} ~* &* +@all -config -module",
            $"user tiny on >{UserPassword} ~tiny:* &tiny:* +get +ping +multi +exec +hello +subscribe",
            $"user ops on >{UserPassword} ~* &* +@all -config +config|get");
        Program = await KeyEvtProcess.StartAsync(["--upstream", $"redis://:{RootPassword}@127.0.0.1:{Redis.Port}", "--amqp", "amqp://guest:guest@127.0.0.1:1/", "--keymask", "^unchanged$"]);
    }

    public async ValueTask DisposeAsync()
    {
        if (Program is not null) await Program.DisposeAsync();
        if (Redis is not null) await Redis.DisposeAsync();
    }
}
