// How does a test run the built program, and what does it see of it?
using System.Globalization;
using System.Net;

namespace KeyEvt.Servers;

/// <summary>
/// The built keyevt program as a process of its own, listening on free ports. The program is the keyevt.dll next to the running test (a
/// project reference copies it there), or what the variable PROGRAM_UNDER_TEST names. Variables KEYEVT_* of this process are kept from it unless asked for, but
/// for KEYEVT_TRANSPORT: the same tests can run over each transport.
/// </summary>
public sealed class KeyEvtProcess : IAsyncDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly string[] _arguments;
    private readonly Dictionary<string, string?> _environment;
    private readonly string[] _through;
    private readonly string? _file;

    private KeyEvtProcess(string[] arguments, IReadOnlyDictionary<string, string>? environment, int? port, bool inheritSettings, string[]? through, string? file)
    {
        _through = through ?? [];
        _file = file;
        Port = port ?? FreePorts.Take();
        _environment = EnvironmentOf(environment, inheritSettings);
        _arguments = [.. arguments, "--listen", $"127.0.0.1:{Port}", "--admin", $"127.0.0.1:{AdminPort}"];
        Process = Launch();
    }

    public int Port { get; }

    public int AdminPort { get; } = FreePorts.Take();

    public ChildProcess Process { get; private set; }

    public RedisCli Cli => new(Port);

    /// <summary>How the tested program is called by others: the words before its arguments.</summary>
    public static IReadOnlyList<string> CommandLine
    {
        get
        {
            var (program, before) = Program();
            return [program, .. before];
        }
    }

    /// <summary>--listen and --admin are given already. Returns once it listens and is ready (its feed is subscribed).</summary>
    /// <param name="through">A program and its arguments that becomes what stands behind them, such as unshare.</param>
    /// <param name="file">Another build of the program than the tested one.</param>
    public static async Task<KeyEvtProcess> StartAsync(
        string[] arguments, IReadOnlyDictionary<string, string>? environment = null, bool waitReady = true, int? port = null, bool inheritSettings = false,
        string[]? through = null, string? file = null)
    {
        var program = new KeyEvtProcess(arguments, environment, port, inheritSettings, through, file);
        try
        {
            await program.ListeningAsync().ConfigureAwait(false);
            if (waitReady) await program.ReadyAsync().ConfigureAwait(false);
            return program;
        }
        catch (Exception e)
        {
            var said = program.Process.Tail(40);
            await program.DisposeAsync().ConfigureAwait(false);
            throw new InvalidOperationException($"keyevt did not start: {e.Message}\n{said}", e);
        }
    }

    /// <summary>Runs it to its end: check, health, --version, bad options.</summary>
    public static Task<RunResult> RunAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, TimeSpan? deadline = null)
    {
        var (program, before) = Program();
        return Run.ToEndAsync(program, [.. before, .. arguments], environment: EnvironmentOf(environment, inheritSettings: false), deadline: deadline ?? TimeSpan.FromSeconds(30));
    }

    /// <summary>The bare program with just these arguments.</summary>
    public static ChildProcess Launch(string[] arguments) => Launch(arguments, EnvironmentOf(null, inheritSettings: false));

    public Task<RespClient> ConnectAsync() => RespClient.ConnectAsync(Port);

    /// <summary>One command on a connection of its own, through the program.</summary>
    public async Task<Reply> CallAsync(params string[] arguments)
    {
        await using var client = await ConnectAsync().ConfigureAwait(false);
        return await client.CallAsync(arguments).ConfigureAwait(false);
    }

    /// <summary>Status and body of one of its admin pages, such as "/readyz".</summary>
    public async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
    {
        using var answer = await Http.GetAsync(new Uri($"http://127.0.0.1:{AdminPort}{path}")).ConfigureAwait(false);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync().ConfigureAwait(false));
    }

    /// <summary>The fields of key_evt_amqp.info, named "section.field". Needs a user who may.</summary>
    public async Task<IReadOnlyDictionary<string, string>> InfoAsync(string[]? login = null)
    {
        await using var client = await ConnectAsync().ConfigureAwait(false);
        if (login is not null) await client.CallAsync(["AUTH", .. login]).ConfigureAwait(false);
        var reply = await client.CallAsync("key_evt_amqp.info").ConfigureAwait(false);
        return ParseInfo(reply.IsError ? throw new InvalidOperationException(reply.Text) : reply.Text);
    }

    /// <summary>The same from the admin page: also while no client can be served.</summary>
    public async Task<IReadOnlyDictionary<string, string>> AdminInfoAsync() => ParseInfo((await GetAsync("/info").ConfigureAwait(false)).Body);

    public static IReadOnlyDictionary<string, string> ParseInfo(string text)
    {
        var fields = new Dictionary<string, string>();
        var section = "";
        foreach (var line in text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# ", StringComparison.Ordinal)) section = line[2..].Trim().ToLowerInvariant();
            else if (line.Split(':', 2) is [var name, var value]) fields[$"{section}.{name}"] = value;
        }
        return fields;
    }

    /// <summary>SIGTERM; returns the exit code.</summary>
    public Task<int> StopAsync(TimeSpan? deadline = null)
    {
        Process.Signal(ChildProcess.SigTerm);
        return Process.ExitAsync(deadline ?? TimeSpan.FromSeconds(12));
    }

    /// <summary>kill -9.</summary>
    public Task KillAsync() => Process.KillAsync();

    public void Freeze() => Process.Signal(ChildProcess.SigStop);

    public void Thaw() => Process.Signal(ChildProcess.SigCont);

    /// <summary>Kills it if it runs, and starts it again with the same ports and options.</summary>
    public async Task RestartAsync()
    {
        await Process.KillAsync().ConfigureAwait(false);
        Process.Dispose();
        Process = Launch();
        await ListeningAsync().ConfigureAwait(false);
        await ReadyAsync().ConfigureAwait(false);
    }

    public Task ReadyAsync(TimeSpan? deadline = null)
        => Eventually.ValueAsync("keyevt to be ready", () => GetAsync("/readyz"), answer => answer.Status == HttpStatusCode.OK, deadline);

    /// <summary>Returns once nothing waits: every event received so far is confirmed. A message may be at its consumer before that.</summary>
    public Task SettledAsync()
        => Eventually.ValueAsync("nothing to wait", AdminInfoAsync, info => info["ledger.waiting_memory"] == "0" && info["ledger.waiting_fallback"] == "0");

    public ValueTask DisposeAsync()
    {
        Process.Dispose();
        return ValueTask.CompletedTask;
    }

    private static ChildProcess Launch(string[] arguments, Dictionary<string, string?> environment, string[]? through = null, string? file = null)
    {
        var (program, before) = Program(file);
        string[] line = [.. through ?? [], program, .. before, .. arguments];
        return ChildProcess.Start(line[0], line[1..], environment: environment);
    }

    private static Dictionary<string, string?> EnvironmentOf(IReadOnlyDictionary<string, string>? wanted, bool inheritSettings)
    {
        var environment = new Dictionary<string, string?>();
        foreach (var name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(name => !inheritSettings && name.StartsWith("KEYEVT_", StringComparison.Ordinal) && name != "KEYEVT_TRANSPORT"))
        {
            environment[name] = null;
        }

        foreach (var (name, value) in wanted ?? new Dictionary<string, string>()) environment[name] = value;
        return environment;
    }

    private static (string Program, string[] Before) Program(string? file = null)
    {
        var named = file ?? Environment.GetEnvironmentVariable("PROGRAM_UNDER_TEST");
        if (!string.IsNullOrEmpty(named))
        {
            return named.EndsWith(".dll", StringComparison.Ordinal) ? ("dotnet", ["exec", named]) : (named, []);
        }

        var beside = Path.Combine(AppContext.BaseDirectory, "keyevt.dll");
        return File.Exists(beside) ? ("dotnet", ["exec", beside]) : throw new FileNotFoundException($"there is no {beside}: reference src/Proxy, or set PROGRAM_UNDER_TEST");
    }

    private ChildProcess Launch() => Launch(["run", .. _arguments], _environment, _through, _file);

    private Task ListeningAsync()
        => Process.LineAsync("where it listens", line => line.Contains(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}"), StringComparison.Ordinal));
}
