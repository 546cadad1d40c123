using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Membership;

namespace KeyEvt.Forwarder;

/// <summary>How do commands reach the running engine?</summary>
/// <remarks>
/// Every command takes effect in one turn, see <see cref="CurrentConfig.Change"/>: the configuration changes, the feeds are told what is wanted, and delivery is
/// told what to do. What a command waits for afterwards (the subscription, the outcome of an attempt) keeps no other command waiting.
/// </remarks>
internal sealed class ForwarderControl(CurrentConfig current, ForwarderConfig initial, FeedSet feeds, DeliveryLoop delivery, InfoReport report, TimeProvider time) : IForwarderControl
{
    /// <summary>How long a command waits for the feeds to cover what it asked for; past it the change stands, and the feed goes on trying.</summary>
    private static readonly TimeSpan CoverageDeadline = TimeSpan.FromSeconds(2);

    /// <summary>Of the last change of what is wanted. Written and read within a turn.</summary>
    private Task _covered = Task.CompletedTask;

    public ForwarderConfig Config => current.Value;

    /// <summary>What a feed must deliver for a configuration: nothing as long as no key could match.</summary>
    public static EventClass WantedBy(ForwarderConfig config) => (config.Masks.Equals(KeyMaskSet.Empty) ? EventClass.None : config.Events) | config.Rules.Events;

    public Task ConfigureAsync(Func<ForwarderConfig, ForwarderConfig> change) => TakeTurn(change, static () => { });

    public async Task<ConnectResult?> ConnectAsync(Func<ForwarderConfig, ForwarderConfig?> change, CancellationToken cancellationToken)
    {
        Task<ConnectResult>? outcome = null;
        var isRefused = false;
        var covered = TakeTurn(
            config =>
            {
                var next = change(config);
                isRefused = next is null;
                return next ?? config;
            },
            () => outcome = isRefused ? null : delivery.ConnectAsync());
        if (outcome is null) return null;

        await covered.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await outcome.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<bool> DisconnectAsync()
    {
        Task<bool>? outcome = null;
        await TakeTurn(static config => config, () => outcome = delivery.DisconnectAsync()).ConfigureAwait(false);
        return await outcome!.ConfigureAwait(false);
    }

    public async Task ResetAsync()
    {
        Task? closed = null;
        await TakeTurn(_ => initial with { Masks = KeyMaskSet.Empty, Rules = RuleSet.Empty }, () => closed = delivery.ResetAsync()).ConfigureAwait(false);
        await closed!.ConfigureAwait(false);
    }

    public IReadOnlyList<InfoSection> GetInfo() => report.Make();

    /// <param name="also">What else belongs to the command; within its turn.</param>
    /// <returns>Ends when the feeds cover what was wanted new, by this command or by one just before it; or after a while.</returns>
    private Task TakeTurn(Func<ForwarderConfig, ForwarderConfig> change, Action also)
    {
        var covered = Task.CompletedTask;
        current.Change(change, (before, after) =>
        {
            var wanted = WantedBy(after);
            if (wanted != WantedBy(before))
            {
                feeds.Want(wanted);
                _covered = CoveredAsync();
            }

            if (!ReferenceEquals(before, after)) delivery.ConfigChanged();
            also();
            covered = _covered;
        });
        return covered;
    }

    /// <summary>Waits until the feeds cover what is wanted by now, for a while.</summary>
    private async Task CoveredAsync()
    {
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
}
