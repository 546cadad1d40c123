using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Membership;

namespace KeyEvt.Forwarder;

/// <summary>How do commands reach the running engine?</summary>
/// <remarks>
/// Every command takes effect in one step under the lock of <see cref="CurrentConfig.Change"/>: the configuration changes, the feeds are told what is
/// wanted, and delivery is told what to do. Whatever a command waits for afterwards (the subscription, the outcome of an attempt) makes no other
/// command wait.
/// </remarks>
internal sealed class ForwarderControl(CurrentConfig current, ForwarderConfig initial, FeedSet feeds, DeliveryLoop delivery, InfoReport report, TimeProvider time) : IForwarderControl
{
    /// <summary>How long a command waits until the feeds cover what it asked for. After that the change stays, and the feeds go on trying.</summary>
    private static readonly TimeSpan CoverageDeadline = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Completes when the last change of what is wanted is covered. Written and read only under the lock of <see cref="CurrentConfig.Change"/>.
    /// </summary>
    private Task _covered = Task.CompletedTask;

    public ForwarderConfig Config => current.Value;

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

    public async Task ResetAsync(bool isUnloading)
    {
        var closed = Task.CompletedTask;
        await TakeTurn(
            _ => AtStart(initial, isUnloading),
            () =>
            {
                // A link that fits the configuration stays open.
                if (isUnloading || delivery.State == DeliveryState.Stopped) closed = delivery.ResetAsync();
            }).ConfigureAwait(false);
        await closed.ConfigureAwait(false);
    }

    internal static ForwarderConfig AtStart(ForwarderConfig initial, bool isUnloading) => isUnloading ? initial with { Masks = KeyMaskSet.Empty, Rules = RuleSet.Empty } : initial;

    public IReadOnlyList<InfoSection> GetInfo() => report.Make();

    /// <param name="also">The rest of the command; called under the lock.</param>
    /// <returns>Completes when the feeds cover what this command, or one just before it, has asked for; or after a while.</returns>
    private Task TakeTurn(Func<ForwarderConfig, ForwarderConfig> change, Action also)
    {
        var covered = Task.CompletedTask;
        current.Change(change, (before, after) =>
        {
            var wanted = after.Wanted;
            if (wanted != before.Wanted)
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

    /// <summary>Waits until the feeds cover what is wanted, but at most for <see cref="CoverageDeadline"/>.</summary>
    private async Task CoveredAsync()
    {
        using var deadline = new CancellationTokenSource(CoverageDeadline, time);
        try
        {
            await feeds.WaitSubscribedAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Redis is away or refuses. The feed's status and its gap report that.
        }
    }
}
