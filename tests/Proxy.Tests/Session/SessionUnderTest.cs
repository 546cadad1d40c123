using System.Text;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Cluster;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.KeyspaceFanIn;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Server;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp.Requests;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>One session between two in-memory peers, both played by the test; time stands still.</summary>
internal sealed class SessionUnderTest : IAsyncDisposable, ICommandHandler
{
    public const string ConfigGranted = "*2\r\n$22\r\nnotify-keyspace-events\r\n$2\r\nxE\r\n";

    private readonly Task _running;

    public SessionUnderTest(IReadOnlyCollection<string>? adminUsers = null, ITransport? transport = null, Func<string, string>? echo = null, bool intercept = true, IUpstreamRoute? route = null, AddressTranslator? nodePort = null, Func<TimeProvider, FanInHub>? merge = null, InterceptMetrics? interceptions = null, SessionInterceptor? interceptor = null)
    {
        var upstream = TransportAddress.Tcp("upstream", 6379);
        Session = new ProxySession(1, Client, new SessionServices
        {
            Transport = transport ?? new MemoryTransport(_ => ValueTask.FromResult<IConnection>(Upstream)),
            Upstream = route ?? new FixedRoute(upstream),
            Intercept = interceptor is not null ? (_, _, _, _) => interceptor : new InterceptorFactory(new Authorization(adminUsers ?? []), intercept ? this : null, nodePort, nodePort is null ? null : merge?.Invoke(Time), NullLogger.Instance).Open,
            Probe = new UpstreamProbe(MemoryTransport.Echoing(echo ?? EchoLine), Time, NullLogger.Instance),
            Interceptions = interceptions,
            Time = Time,
            Logger = NullLogger.Instance,
        });
        _running = Session.RunAsync();
    }

    public MemoryConnection Client { get; } = new();

    public MemoryConnection Upstream { get; } = new();

    public FakeTimeProvider Time { get; } = new();

    public ProxySession Session { get; }

    /// <summary>Commands that were run, by their arguments.</summary>
    public List<string> Executed { get; } = [];

    public string Reply { get; set; } = "+DONE\r\n";

    /// <summary>What a command does before it replies.</summary>
    public Func<CancellationToken, Task> Execute { get; set; } = _ => Task.CompletedTask;

    public async ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(RespRequest request, CancellationToken cancellationToken)
    {
        var arguments = Enumerable.Range(0, request.Count).Select(i => Encoding.Latin1.GetString(request[i].Span));
        lock (Executed) Executed.Add(string.Join(' ', arguments));
        await Execute(cancellationToken);
        return Encoding.Latin1.GetBytes(Reply);
    }

    public static string EchoLine(string name) => $"-ERR unknown command '{name}', with args beginning with: \r\n";

    /// <summary>A request as a client sends it.</summary>
    public static string Request(params string[] arguments) =>
        $"*{arguments.Length}\r\n" + string.Concat(arguments.Select(argument => $"${argument.Length}\r\n{argument}\r\n"));

    /// <summary>The upstream reads a barrier; returns the line it must answer.</summary>
    public async Task<string> ReadMarkAsync()
    {
        var mark = await Upstream.ReadRequestAsync();
        Assert.Single(mark);
        Assert.Matches("^key_evt_amqp\\.[0-9]{38}$", mark[0]);
        return EchoLine(mark[0]);
    }

    /// <summary>The upstream reads two barriers with this question between them; returns both lines.</summary>
    public async Task<(string First, string Last)> ReadQuestionAsync(params string[] question)
    {
        var first = await ReadMarkAsync();
        Assert.Equal(question, await Upstream.ReadRequestAsync());
        return (first, await ReadMarkAsync());
    }

    public Task<(string First, string Last)> ReadConfigQuestionAsync() => ReadQuestionAsync("CONFIG", "GET", "notify-keyspace-events");

    /// <summary>The question for a command that changes something; also the parameter that it names.</summary>
    public async Task<(string First, string Parameter, string Last)> ReadChangeQuestionAsync()
    {
        var first = await ReadMarkAsync();
        var question = await Upstream.ReadRequestAsync();
        Assert.Equal(["CONFIG", "SET"], question[..2]);
        Assert.Matches("^key_evt_amqp\\.[0-9]{38}$", question[2]);
        return (first, question[2], await ReadMarkAsync());
    }

    /// <summary>The yes of Redis 7 to <see cref="ReadChangeQuestionAsync"/>.</summary>
    public static string NoSuchParameter(string name) => $"-ERR Unknown option or number of arguments for CONFIG SET - '{name}'\r\n";

    /// <summary>What goes upstream for an intercepted command of a client that has used CLIENT REPLY OFF or SKIP.</summary>
    public async Task<(string Skip, string Off, string First, string Last)> ReadQuestionOfSilentAsync()
    {
        var skip = await ReadMarkAsync();
        var off = await ReadMarkAsync();
        Assert.Equal(["CLIENT", "REPLY", "ON"], await Upstream.ReadRequestAsync());
        var (first, last) = await ReadConfigQuestionAsync();
        return (skip, off, first, last);
    }

    public Task EndedAsync() => _running.WaitAsync(TimeSpan.FromSeconds(20));

    public async ValueTask DisposeAsync()
    {
        Session.Abort();
        await EndedAsync();
    }
}
