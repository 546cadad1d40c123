// How does a test get a Redis of its own, and take it away again?
using System.Globalization;

namespace KeyEvt.Servers;

/// <summary>A private redis-server without persistence on a free port of 127.0.0.1, in its own folder.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private readonly PrivateFolder _folder = new("redis");
    private readonly string _configuration;
    private ChildProcess _process;

    private RedisServer(string[] lines, bool unixSocket)
    {
        TlsPort = Word(lines, "tls-port") is { } tlsPort ? int.Parse(tlsPort, CultureInfo.InvariantCulture) : null;
        Password = Word(lines, "requirepass");
        UnixSocket = unixSocket ? _folder.File("redis.sock") : null;
        _configuration = _folder.Write("redis.conf", string.Join('\n', (string[])
            [$"port {Port}", "bind 127.0.0.1", "save \"\"", "appendonly no", $"dir {_folder.Path}", .. UnixSocket is null ? [] : new[] { $"unixsocket {UnixSocket}" }, .. lines, ""]));
        _process = Launch();
    }

    public int Port { get; } = FreePorts.Take();

    /// <summary>Beside the plain one, if a line "tls-port" names it.</summary>
    public int? TlsPort { get; }

    /// <summary>Of the line "requirepass"; whoever connects by this class logs in with it.</summary>
    public string? Password { get; }

    public string? UnixSocket { get; }

    public string Url => string.Create(CultureInfo.InvariantCulture, $"redis://127.0.0.1:{Port}");

    public RedisCli Cli => new(Port);

    public ChildProcess Process => _process;

    /// <param name="lines">Further lines of redis.conf, such as "requirepass secret".</param>
    public static Task<RedisServer> StartAsync(params string[] lines) => StartAsync(lines, unixSocket: false);

    public static async Task<RedisServer> StartAsync(string[] lines, bool unixSocket)
    {
        var server = new RedisServer(lines, unixSocket);
        try
        {
            await server.ReadyAsync().ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public Task<RespClient> ConnectAsync() => ConnectAsync(Port, Password);

    /// <summary>The value of the first configuration line of that name.</summary>
    internal static string? Word(IEnumerable<string> lines, string name) =>
        lines.FirstOrDefault(line => line.StartsWith(name + " ", StringComparison.Ordinal))?[(name.Length + 1)..];

    internal static async Task<RespClient> ConnectAsync(int port, string? password)
    {
        var client = await RespClient.ConnectAsync(port).ConfigureAwait(false);
        if (password is not null) await client.CallAsync("AUTH", password).ConfigureAwait(false);
        return client;
    }

    /// <summary>One command on a connection of its own, straight to this Redis; whatever it answers.</summary>
    public async Task<Reply> ConnectAndCallAsync(params string[] arguments)
    {
        await using var client = await ConnectAsync().ConfigureAwait(false);
        return await client.CallAsync(arguments).ConfigureAwait(false);
    }

    /// <summary>The same, where an error reply throws.</summary>
    public async Task<Reply> CallAsync(params string[] arguments)
    {
        var reply = await ConnectAndCallAsync(arguments).ConfigureAwait(false);
        return reply.IsError ? throw new InvalidOperationException($"{arguments[0]}: {reply.Text}") : reply;
    }

    /// <summary>kill -9.</summary>
    public Task KillAsync() => _process.KillAsync();

    /// <summary>SHUTDOWN SAVE: once it is gone, all that it ever acknowledged is on its disk.</summary>
    public async Task ShutdownAsync()
    {
        await using var client = await ConnectAsync().ConfigureAwait(false);
        await client.SendCommandAsync("SHUTDOWN", "SAVE").ConfigureAwait(false);
        await _process.ExitAsync(TimeSpan.FromSeconds(20)).ConfigureAwait(false);
    }

    /// <summary>Whoever asks it something waits until it is thawed.</summary>
    public bool IsFrozen { get; private set; }

    public void Freeze()
    {
        IsFrozen = true;
        _process.Signal(ChildProcess.SigStop);
    }

    public void Thaw()
    {
        _process.Signal(ChildProcess.SigCont);
        IsFrozen = false;
    }

    /// <summary>Kills it if it runs, and starts it again on the same port with the same configuration.</summary>
    public async Task RestartAsync()
    {
        await _process.KillAsync().ConfigureAwait(false);
        IsFrozen = false;
        _process.Dispose();
        _process = Launch();
        await ReadyAsync().ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        _process.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private ChildProcess Launch() => ChildProcess.Start(ServerPrograms.RedisServer, [_configuration], _folder.Path);

    private Task ReadyAsync()
        => _process.LineAsync("that it accepts connections", line => line.Contains("eady to accept connections", StringComparison.Ordinal));
}
