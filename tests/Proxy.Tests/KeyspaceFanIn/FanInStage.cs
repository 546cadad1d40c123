using System.Collections.Concurrent;
using System.Threading.Channels;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tests.Topology;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.KeyspaceFanIn;
using KeyEvt.Proxy.Tests.Cluster;
using KeyEvt.Proxy.Tests.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KeyEvt.Proxy.Tests.KeyspaceFanIn;

/// <summary>A session through the port of a cluster's node of the node "upstream" of three masters, with --merge-keyspace; the test plays client, upstream and the masters "two" and "three". Time stands still.</summary>
internal sealed class FanInStage : IAsyncDisposable, ITransport
{
    public const string Pattern = "__keyevent@*__:set";

    public static readonly string Subscribe = SessionUnderTest.Request("PSUBSCRIBE", Pattern);

    private readonly ConcurrentDictionary<string, Channel<MemoryConnection>> _masters = new();
    private readonly TaskCompletionSource _isMade = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FanInStage(bool ownIsReplica = false, string? password = null, ILogger? logger = null)
    {
        Topology = new FakeTopology(UpstreamShape.Cluster, Node("upstream", ownIsReplica ? NodeRole.Replica : NodeRole.Master), Node("two", password: password), Node("three", password: password));
        Test = new SessionUnderTest(
            transport: this, nodePort: NodePorts.Translator(),
            merge: time => Services = new FanInHub(Topology, this, TimeSpan.FromSeconds(5), time, logger ?? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance));
        _isMade.SetResult();
    }

    public SessionUnderTest Test { get; }

    public FakeTopology Topology { get; }

    public FanInHub Services { get; private set; } = null!;

    public MemoryConnection Client => Test.Client;

    public MemoryConnection Upstream => Test.Upstream;

    /// <summary>Whoever connects to one of them is refused.</summary>
    public HashSet<string> Dead { get; } = [];

    /// <summary>What connecting to a master fails with, as by a fault of the program.</summary>
    public Exception? Bug { get; set; }

    public Task Completion { get; } = new TaskCompletionSource().Task;

    public static TopologyNode Node(string host, NodeRole role = NodeRole.Master, string? password = null) =>
        FakeTopology.Node(host, 6379, role, host) with { Address = new RedisAddress { Host = host, Port = 6379, Password = password } };

    public static string Confirmation(int count = 1, char type = '*', string name = Pattern, string word = "psubscribe") => $"{type}3\r\n{Bulk(word)}{Bulk(name)}:{count}\r\n";

    public static string Message(string key, char type = '*', string name = Pattern) => $"{type}4\r\n{Bulk("pmessage")}{Bulk(name)}{Bulk("__keyevent@0__:set")}{Bulk(key)}";

    public static string Bulk(string text) => $"${text.Length}\r\n{text}\r\n";

    public static string Pong(string version) => "*2\r\n" + Bulk("pong") + Bulk(version);

    public IConnectionListener Listen(TransportAddress address) => throw new NotSupportedException();

    public async ValueTask<IConnection> ConnectAsync(TransportAddress address, CancellationToken cancellationToken)
    {
        await _isMade.Task;
        if (address.Host == "upstream") return Upstream;
        lock (Dead)
        {
            if (Dead.Contains(address.Host))
            {
                throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.ConnectionRefused);
            }
        }

        if (Bug is not null) throw Bug;
        var connection = new MemoryConnection();
        Connections(address.Host).Writer.TryWrite(connection);
        return connection;
    }

    /// <summary>Nobody has connected to another master that the test has not seen.</summary>
    public bool NobodyConnects() => _masters.Values.All(each => each.Reader.Count == 0);

    /// <summary>Somebody has connected to a master, and the test has not seen it.</summary>
    public bool IsConnectedTo(string host) => Connections(host).Reader.Count > 0;

    /// <summary>The next connection to a master.</summary>
    public async Task<MemoryConnection> ConnectedAsync(string host)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        return await Connections(host).Reader.ReadAsync(deadline.Token);
    }

    /// <summary>The first that a new connection asks is whether the master has loaded its data.</summary>
    public static async Task IsLoadedAsync(MemoryConnection master)
    {
        Assert.Equal(["PING"], await master.ReadRequestAsync());
        await master.SendAsync("+PONG\r\n");
    }

    /// <summary>A master is asked over a new connection to subscribe, and does.</summary>
    public static async Task BeginsAsync(MemoryConnection master, string name = Pattern, string command = "PSUBSCRIBE")
    {
        await IsLoadedAsync(master);
        await SubscribesAsync(master, name, command);
    }

    /// <summary>A master is asked to subscribe, and does.</summary>
    public static async Task SubscribesAsync(MemoryConnection master, string name = Pattern, string command = "PSUBSCRIBE")
    {
        Assert.Equal([command, name], await master.ReadRequestAsync());
        await master.SendAsync(Confirmation(1, name: name, word: command.ToLowerInvariant()));
        await PongsAsync(master);
    }

    public static async Task PongsAsync(MemoryConnection master)
    {
        var ping = await master.ReadRequestAsync();
        Assert.Equal("PING", ping[0]);
        await master.SendAsync(Pong(ping[1]));
    }

    /// <summary>The client subscribes to <see cref="Pattern"/>, and all masters do.</summary>
    public async Task<(MemoryConnection Two, MemoryConnection Three)> SubscribedAsync(char type = '*')
    {
        await Client.SendAsync(Subscribe);
        var (first, last) = await Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        await Upstream.SendAsync(first + Confirmation(type: type) + last);
        var (two, three) = (await ConnectedAsync("two"), await ConnectedAsync("three"));
        await BeginsAsync(two);
        await BeginsAsync(three);
        await Client.ExpectAsync(Confirmation(type: type));
        return (two, three);
    }

    public async ValueTask DisposeAsync() => await Test.DisposeAsync();

    private Channel<MemoryConnection> Connections(string host) => _masters.GetOrAdd(host, _ => Channel.CreateUnbounded<MemoryConnection>());
}
