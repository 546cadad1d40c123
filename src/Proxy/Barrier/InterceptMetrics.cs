using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Metrics;
using KeyEvt.Proxy.Barrier.Echo;

namespace KeyEvt.Proxy.Barrier;

/// <summary>What do metrics tell of the requests that the proxy answers itself?</summary>
internal sealed class InterceptMetrics
{
    /// <summary>Label of a CLUSTER command that names nodes.</summary>
    public const string Cluster = "cluster";

    /// <summary>Label of a subscription to the keyspace notifications of all masters.</summary>
    public const string Subscribe = "subscribe";

    /// <summary>Label of HELLO from such a subscriber, which may change the protocol of its notifications.</summary>
    public const string Hello = "hello";

    private static readonly MetricDefinition Requests = new(
        MetricKind.Counter, "keyevt.intercept.requests", "{request}", "Requests that KeyEvt has answered itself. command: the part behind key_evt_amqp., module_load, module_unload, cluster, subscribe, hello, or unknown. outcome: ok, refused (the client may not), error.", "command", "outcome");

    private static readonly MetricDefinition State = new(
        MetricKind.Gauge, "keyevt.intercept.state", "", "Whether key_evt_amqp commands can be answered: the state that holds is 1. not_tried: Redis has not been asked yet. no_echo: it does not name unknown commands, so they cannot be.", "state");

    private readonly Counter<long> _requests;

    /// <param name="ownCommands">The label values of the key_evt_amqp commands.</param>
    /// <param name="state">Called whenever the metrics are read.</param>
    public InterceptMetrics(Meter meter, IEnumerable<string> ownCommands, Func<InterceptionState> state)
    {
        _requests = meter.CreateCounter(Requests);
        meter.ObserveMany(State, () => StateSeries.Of(state(), "state"));
        foreach (var command in ownCommands.Concat([Cluster, Subscribe, Hello]))
        {
            _requests.Add(0, new("command", command), new("outcome", LabelText.Of(InterceptionOutcome.Ok)));
        }
    }

    public static IReadOnlyList<MetricDefinition> Definitions { get; } = [Requests, State];

    /// <summary>Called once the request is answered.</summary>
    public void Count(Interception interception) =>
        _requests.Add(1, new KeyValuePair<string, object?>("command", interception.Command), new KeyValuePair<string, object?>("outcome", LabelText.Of(interception.Outcome)));
}
