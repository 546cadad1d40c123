using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder;

/// <summary>How do commands reach the running engine?</summary>
internal sealed class ForwarderControl(CurrentConfig current, ForwarderConfig initial, FeedSet feeds, DeliveryLoop delivery, InfoReport report, TimeProvider time) : IForwarderControl
{
    /// <summary>How long a command waits for the feeds to cover what it asked for; past it the change stands, and the feed goes on trying.</summary>
    private static readonly TimeSpan CoverageDeadline = TimeSpan.FromSeconds(2);

    public ForwarderConfig Config => current.Value;

    /// <summary>What a feed must deliver for a configuration: nothing as long as no key could match.</summary>
    public static EventClass WantedBy(ForwarderConfig config) => (config.Masks.Equals(KeyMaskSet.Empty) ? EventClass.None : config.Events) | config.Rules.Events;

    public async Task ConfigureAsync(Func<ForwarderConfig, ForwarderConfig> change)
    {
        var before = WantedBy(Config);
        var next = current.Change(change);
        delivery.ConfigChanged();
        if (WantedBy(next) == before)
            return;

        feeds.Want(WantedBy(next));
        using var deadline = new CancellationTokenSource(CoverageDeadline, time);
        try
        {
            await feeds.WaitSubscribedAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Redis is away or refuses: the feed's status and its gap say so.
        }
    }

    public Task<ConnectResult> ConnectAsync(CancellationToken cancellationToken) => delivery.ConnectAsync().WaitAsync(cancellationToken);

    public Task<bool> DisconnectAsync() => delivery.DisconnectAsync();

    public async Task ResetAsync()
    {
        await ConfigureAsync(_ => initial with { Masks = KeyMaskSet.Empty, Rules = RuleSet.Empty }).ConfigureAwait(false);
        await delivery.ResetAsync().ConfigureAwait(false);
    }

    public IReadOnlyList<InfoSection> GetInfo() => report.Make();
}
