using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Options;

namespace KeyEvt.Proxy.Check;

/// <summary>Which node is being checked, over which connection, and what has been found so far? Shared by the checks of one node.</summary>
/// <param name="options">The options as they would be at a start.</param>
/// <param name="rows">Receives one row for each finding.</param>
internal sealed class CheckTarget(ProxyOptions options, RedisAddress node, RedisClient redis, List<CheckRow> rows)
{
    public ProxyOptions Options => options;

    public RedisAddress Node => node;

    public RedisClient Redis => redis;

    public List<CheckRow> Rows => rows;

    /// <summary>What the server knows of keyspace events. Until its version is known, as for the newest server.</summary>
    public ServerEvents Server { get; set; } = ServerEvents.Newest;

    /// <summary>Whether the upstream is a single node, and not part of a larger topology, as far as the options say.</summary>
    public bool IsAlone { get; } = options.Forwarder.Upstream.Shape == UpstreamShape.Standalone;

    /// <summary>The channel of the group, which the feed's markers are messages of. In a cluster each node has one of its own, by its run id.</summary>
    public MarkerChannel Markers => IsInCluster ? MarkerChannel.OfNode(0) : MarkerChannel.Plain;

    /// <summary>Whether the node is part of a cluster. Set when it has said so.</summary>
    public bool IsInCluster { get; set; } = options.Forwarder.Upstream.Shape == UpstreamShape.Cluster;

    /// <summary>The ACL rules that the feed's markers need.</summary>
    public string MarkerRights => $"+subscribe +publish &{MarkerChannel.PlainName}{(IsInCluster ? "*" : "")}";

    public string User => node.User ?? "default";

    /// <summary>The event classes that masks and rules ask for. Masks count even if there are none yet, since a command can add one.</summary>
    public EventClass Wanted => options.Forwarder.Initial.Events | options.Forwarder.Initial.Rules.Events;

    /// <summary>The wanted classes that the server has.</summary>
    public EventClass Needed => Server.Meant(Wanted) & Server.Known;

    /// <summary>Adds a row. Returns false if the row says that something fails.</summary>
    public bool Add(CheckOutcome outcome, string what, string finding, string? remedy = null)
    {
        rows.Add(new CheckRow(outcome, what, finding, remedy));
        return outcome != CheckOutcome.Fails;
    }

    /// <summary>The command that gives these ACL rules to the user.</summary>
    public string Grant(string rules) => $"ACL SETUSER {User} {rules}";
}
