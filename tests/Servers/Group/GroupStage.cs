using KeyEvt.Servers.Oracle;

namespace KeyEvt.Servers.Group;

/// <summary>
/// What stands while a group of proxies is tried? One Redis (or one with Sentinels, or a cluster), the proxies, a relay between them and the broker, a queue and its consumer. Each member can be killed,
/// ended, frozen, cut off from its broker or from its feed, and started again. All members have the same options, but for their names.
/// </summary>
public sealed class GroupStage : IAsyncDisposable
{
    private readonly GroupSetting _setting;
    private readonly RabbitServer _rabbit;
    private readonly GroupUpstream _upstream;
    private readonly List<GroupMember> _members = [];
    private readonly HashSet<GroupMember> _withoutBroker = [];
    private readonly List<FaultRun> _runs = [];
    private EventConsumer? _consumer;

    private GroupStage(GroupSetting setting, RabbitServer rabbit, GroupUpstream upstream)
    {
        (_setting, _rabbit, _upstream) = (setting, rabbit, upstream);
        Relay = new Relay(rabbit.Port);
    }

    /// <summary>Where there is one node only.</summary>
    public RedisServer Redis => _upstream.Redis!;

    /// <summary>Where there are Sentinels.</summary>
    public SentinelServers Sentinel => _upstream.Sentinel!;

    /// <summary>Where there is a cluster.</summary>
    public RedisClusterServers Cluster => _upstream.Cluster!;

    /// <summary>Between the members and the broker; the consumer goes round it.</summary>
    public Relay Relay { get; }

    public string Queue { get; } = $"q{Guid.NewGuid():N}";

    public EventConsumer Consumer => _consumer!;

    public IReadOnlyList<GroupMember> Members => _members;

    /// <summary>Of the run that was started last.</summary>
    public FaultRun Run => _runs[^1];

    /// <param name="beside">A stage whose Redis these proxies stand before too; null: a Redis of its own.</param>
    public static async Task<GroupStage> SetAsync(RabbitServer rabbit, GroupSetting setting, GroupStage? beside = null)
    {
        return await SetAsync(rabbit, setting, GroupUpstream.Of(beside?.Redis ?? await RedisServer.StartAsync().ConfigureAwait(false), owns: beside is null)).ConfigureAwait(false);
    }

    /// <summary>The proxies stand before a master with two replicas and three Sentinels.</summary>
    public static async Task<GroupStage> SetBehindSentinelAsync(RabbitServer rabbit, GroupSetting setting, params string[] lines) =>
        await SetAsync(rabbit, setting, GroupUpstream.Of(await SentinelServers.StartAsync(lines).ConfigureAwait(false))).ConfigureAwait(false);

    /// <summary>The proxies stand before three masters with a replica each.</summary>
    public static async Task<GroupStage> SetBeforeClusterAsync(RabbitServer rabbit, GroupSetting setting) =>
        await SetAsync(rabbit, setting, GroupUpstream.Of(await RedisClusterServers.StartAsync().ConfigureAwait(false))).ConfigureAwait(false);

    private static async Task<GroupStage> SetAsync(RabbitServer rabbit, GroupSetting setting, GroupUpstream upstream)
    {
        var stage = new GroupStage(setting, rabbit, upstream);
        try
        {
            await stage.StartAsync().ConfigureAwait(false);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The writers begin: one straight to Redis when nothing else is said.</summary>
    public FaultRun StartRun(params WriterSetting[] writers)
    {
        _runs.Add(_upstream.Start([.. Members.Select(member => member.Program)], Consumer, writers));
        return Run;
    }

    /// <summary>Waits until one member delivers, and all that answer know it. Where there are several masters: of each.</summary>
    /// <param name="butNot">The holder so far: another must be it.</param>
    public async Task<GroupMember> HolderAsync(GroupMember? butNot = null, TimeSpan? deadline = null)
    {
        var what = $"a holder{(butNot is null ? "" : $" other than {butNot}")} that all know";
        return (await Eventually.ValueAsync(what, LookAsync, seen => seen.Holder is { } holder && holder != butNot, deadline).ConfigureAwait(false)).Holder!;
    }

    /// <summary>Waits until there is a holder, and every other member that answers could take over; returns the holder.</summary>
    public async Task<GroupMember> InStepAsync(TimeSpan? deadline = null) =>
        (await Eventually.ValueAsync("a holder and standbys", LookAsync, seen => seen.IsInStep, deadline).ConfigureAwait(false)).Holder!;

    /// <summary>kill -9; it is left so.</summary>
    public async Task KillAsync(GroupMember member)
    {
        await member.Program.KillAsync().ConfigureAwait(false);
        ForgetLife(member);
    }

    /// <summary>SIGTERM; the exit code. It is left so.</summary>
    public async Task<int> TerminateAsync(GroupMember member)
    {
        var code = await member.Program.StopAsync().ConfigureAwait(false);
        ForgetLife(member);
        return code;
    }

    /// <summary>Resets what this member has of the broker, and each new connection of it, until GiveBroker. The others keep theirs.</summary>
    public void TakeBroker(GroupMember member)
    {
        _withoutBroker.Add(member);
        GateBroker();
    }

    public void GiveBroker(GroupMember member)
    {
        _withoutBroker.Remove(member);
        GateBroker();
    }

    /// <summary>CLIENT KILL of the connections on which this member hears Redis; how many there were.</summary>
    /// <param name="at">The node; null: the one that there is.</param>
    public async Task<int> KillFeedAsync(GroupMember member, RedisServer? at = null)
    {
        var node = at ?? Redis;
        await using var client = await node.ConnectAsync().ConfigureAwait(false);
        var feeds = (await FeedsAsync(node).ConfigureAwait(false)).Where(feed => ProcessSockets.Has(member.Program.Process.Id, feed.Port, node.Port)).ToList();
        foreach (var feed in feeds) await client.CallAsync("CLIENT", "KILL", "ID", feed.Id).ConfigureAwait(false);

        return feeds.Count;
    }

    /// <summary>Connections on which a proxy hears events, at Redis.</summary>
    public async Task<int> ListenersAsync() => (await FeedsAsync(Redis).ConfigureAwait(false)).Count(feed => feed.HearsEvents);

    public async ValueTask DisposeAsync()
    {
        foreach (var run in _runs) await run.DisposeAsync().ConfigureAwait(false);
        foreach (var member in _members) await member.DisposeAsync().ConfigureAwait(false);
        if (_consumer is not null) await _consumer.DisposeAsync().ConfigureAwait(false);
        await Relay.DisposeAsync().ConfigureAwait(false);
        if (_upstream.Owned is { } owned) await owned.DisposeAsync().ConfigureAwait(false);
    }

    private async Task StartAsync()
    {
        _consumer = await EventConsumer.StartAsync(_rabbit.Broker, Queue).ConfigureAwait(false);
        var starting = _setting.Names.Select(name => GroupMember.StartAsync(name, Arguments(name), _setting.File)).ToList();
        try
        {
            await Task.WhenAll(starting).ConfigureAwait(false);
        }
        finally
        {
            foreach (var start in starting.Where(one => one.IsCompletedSuccessfully)) _members.Add(await start.ConfigureAwait(false));
        }
    }

    private string[] Arguments(string name) =>
    [
        "--upstream", _upstream.Url, "--amqp", _rabbit.UrlWith(port: Relay.Port), "--exchange", "amq.direct", "--routing-key", Queue,
        "--events", "$", "--keymask", "^t:", "--delivery-mode", "2",
        .. _setting.Group is { } group ? (string[])["--group", group, "--instance", name] : [],
        .. _setting.Options,
        .. _setting.OptionsOf(name),
    ];

    private async Task<GroupView> LookAsync() =>
        new(await Task.WhenAll(Members.Where(member => member.IsAnswering).Select(async member => (member, await (_upstream.Redis is null ? member.AdminReportAsync() : member.ReportAsync()).ConfigureAwait(false)))).ConfigureAwait(false));

    private void ForgetLife(GroupMember member)
    {
        foreach (var run in _runs) run.Watches[_members.IndexOf(member)].NewLife();
    }

    private void GateBroker()
    {
        int[] processes = [.. _withoutBroker.Where(member => member.IsAnswering).Select(member => member.Program.Process.Id)];
        Relay.CutOff(port => processes.Any(process => ProcessSockets.Has(process, port, Relay.Port)));
    }

    private static async Task<IReadOnlyList<(string Id, int Port, bool HearsEvents)>> FeedsAsync(RedisServer node)
    {
        var clients = (await node.CallAsync("CLIENT", "LIST").ConfigureAwait(false)).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        // id=3 addr=127.0.0.1:52555 laddr=... name=keyevt-feed ... sub=1 psub=2 ...
        var words = clients.Select(line => line.Split(' ').Select(word => word.Split('=', 2)).ToDictionary(word => word[0], word => word[^1]));
        return [.. words.Where(client => client["name"].StartsWith("keyevt-feed", StringComparison.Ordinal)).Select(client => (client["id"], int.Parse(client["addr"].Split(':')[^1]), client["psub"] != "0"))];
    }
}
