// How does a test get a RabbitMQ of its own, and take it away again?
using System.Globalization;

namespace KeyEvt.Servers;

/// <summary>
/// A private RabbitMQ: own node, ports, folders, cookie, and an own epmd that is not a daemon, so that nothing is shared with a
/// RabbitMQ of the system. Ready in about 5 s. The largest message is 128 MiB on every version: RabbitMQ 4 has 16 of its own.
/// </summary>
public sealed class RabbitServer : IAsyncDisposable
{
    public const string User = "guest";
    public const string Password = "guest";

    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(90);

    private readonly PrivateFolder _folder = new("rabbit");
    private readonly Dictionary<string, string?> _environment;
    private readonly ChildProcess _portMapper;
    private ChildProcess _process;

    private RabbitServer(string[] configurationLines)
    {
        var epmdPort = FreePorts.Take();
        var home = Directory.CreateDirectory(_folder.File("home")).FullName;
        var cookie = Path.Combine(home, ".erlang.cookie");
        File.WriteAllText(cookie, Guid.NewGuid().ToString("N"));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(cookie, UnixFileMode.UserRead);
        _environment = new Dictionary<string, string?>
        {
            ["HOME"] = home,
            ["RABBITMQ_NODENAME"] = Node,
            ["RABBITMQ_NODE_PORT"] = Text(Port),
            ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_DIST_PORT"] = Text(FreePorts.Take()),
            ["ERL_EPMD_PORT"] = Text(epmdPort),
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_MNESIA_BASE"] = _folder.File("mnesia"),
            ["RABBITMQ_LOG_BASE"] = _folder.File("log"),
            ["RABBITMQ_LOGS"] = "-",
            ["RABBITMQ_PID_FILE"] = _folder.File("rabbit.pid"),
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = _folder.Write("enabled_plugins", "[].\n"),
            ["RABBITMQ_CONF_ENV_FILE"] = _folder.Write("rabbitmq-env.conf", ""),
            ["RABBITMQ_CONFIG_FILE"] = _folder.Write("rabbitmq.conf", string.Join('\n', (string[])["disk_free_limit.absolute = 50MB", "max_message_size = 134217728", .. configurationLines, ""])),
            // Makes the start script become the server instead of waiting for it: one process to signal.
            ["RUNNING_UNDER_SYSTEMD"] = "true",
            // Fork and schedule less: a test machine is small.
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
        };
        _portMapper = ChildProcess.Start(ServerPrograms.PortMapper, ["-port", Text(epmdPort), "-address", "127.0.0.1"], _folder.Path);
        _process = Launch();
    }

    public int Port { get; } = FreePorts.Take();

    public string Url => UrlWith();

    /// <summary>For declaring, looking and consuming.</summary>
    public Broker Broker => new(Url);

    public ChildProcess Process => _process;

    private string Node => $"keyevt{Port}@localhost";

    /// <param name="configurationLines">Further lines of rabbitmq.conf, such as "frame_max = 8192".</param>
    public static async Task<RabbitServer> StartAsync(params string[] configurationLines)
    {
        var server = new RabbitServer(configurationLines);
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

    /// <summary>This server's URL with another user, virtual host, or (a relay's) port.</summary>
    public string UrlWith(string user = User, string password = Password, string virtualHost = "/", int? port = null)
        => string.Create(CultureInfo.InvariantCulture, $"amqp://{user}:{password}@127.0.0.1:{port ?? Port}/{(virtualHost == "/" ? "" : Uri.EscapeDataString(virtualHost))}");

    /// <summary>rabbitmqctl with the environment of this server; takes about a second. Throws when it fails.</summary>
    public async Task<string> CtlAsync(params string[] arguments)
    {
        var result = await Run.ToEndAsync(ServerPrograms.RabbitMqCtl, arguments, environment: _environment).ConfigureAwait(false);
        return result.ExitCode == 0 ? result.Output : throw new InvalidOperationException($"rabbitmqctl {string.Join(' ', arguments)}: {result}");
    }

    /// <summary>One expression in the broker's own language, run inside it: what rabbitmqctl has no word for. Ends with a full stop.</summary>
    public Task<string> EvalAsync(string expression) => CtlAsync("eval", expression);

    /// <summary>Closes every connection, as an operator would; those who want to come back do.</summary>
    public Task<string> CloseConnectionsAsync() => CtlAsync("close_all_connections", "closed by a test");

    /// <summary>A new user with this password that may do everything but write where the pattern does not match; its name.</summary>
    public async Task<string> AddUserAsync(string password, string write = ".*")
    {
        var user = $"u{Guid.NewGuid():N}";
        await CtlAsync("add_user", user, password).ConfigureAwait(false);
        await CtlAsync("set_permissions", user, ".*", write, ".*").ConfigureAwait(false);
        return user;
    }

    /// <summary>Writes down what was declared. The broker does so itself up to two seconds after a declaration; who kills it sooner may find the declaration gone.</summary>
    public Task SaveDeclarationsAsync() => EvalAsync("ok = mnesia:sync_log().");

    /// <summary>kill -9 of its VM.</summary>
    public Task KillAsync() => _process.KillAsync();

    public void Freeze() => _process.Signal(ChildProcess.SigStop);

    public void Thaw() => _process.Signal(ChildProcess.SigCont);

    /// <summary>SIGTERM, in order; about a second.</summary>
    public async Task StopAsync()
    {
        _process.Signal(ChildProcess.SigTerm);
        await _process.ExitAsync(TimeSpan.FromSeconds(30)).ConfigureAwait(false);
    }

    /// <summary>Starts it again on the same port with the same data; kills it first if it runs.</summary>
    public async Task RestartAsync()
    {
        await _process.KillAsync().ConfigureAwait(false);
        _process.Dispose();
        _process = Launch();
        await ReadyAsync().ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        _process.Dispose();
        _portMapper.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private ChildProcess Launch() => ChildProcess.Start("/bin/sh", [ServerPrograms.RabbitMqServer], _folder.Path, _environment);

    private Task ReadyAsync()
        => _process.LineAsync("that it is started", line => line.Contains("Server startup complete", StringComparison.Ordinal), StartDeadline);
}
