using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Forwarder;

/// <summary>How do commands reach the running engine? Whatever they change, they change for all members of the group.</summary>
internal sealed class GroupControl(CurrentConfig current, ForwarderConfig initial, ConfigChange changes, HolderAnswers answers, DeliveryLoop delivery, InfoReport report) : IForwarderControl
{
    public ForwarderConfig Config => current.Value;

    public Task ConfigureAsync(Func<ForwarderConfig, ForwarderConfig> change) => changes.ChangeAsync(change);

    /// <summary>The outcome is that of the member that delivers.</summary>
    public async Task<ConnectResult?> ConnectAsync(Func<ForwarderConfig, ForwarderConfig?> change, CancellationToken cancellationToken)
    {
        var isChanged = await changes.ChangeAsync(config => change(config) is { } next ? Running(next) : null).ConfigureAwait(false);
        return isChanged ? await answers.AskAsync(cancellationToken).ConfigureAwait(false) : null;
    }

    /// <summary>Members that deliver, or wait for it, have a connection or try to as long as events are wanted.</summary>
    public async Task<bool> DisconnectAsync()
    {
        var wasConnected = false;
        await changes.ChangeAsync(config =>
        {
            wasConnected = !config.IsStopped && (config.NeedsLink || delivery.IsBrokerThere);
            return config.IsStopped ? config : config with { IsStopped = true };
        }).ConfigureAwait(false);
        await delivery.DisconnectAsync().ConfigureAwait(false); // a link that was open is closed when the command ends
        return wasConnected;
    }

    public async Task ResetAsync(bool isUnloading)
    {
        await changes.ChangeAsync(_ => AtStart(isUnloading)).ConfigureAwait(false);
        if (isUnloading) await delivery.ResetAsync().ConfigureAwait(false); // it is opened again for the next event
    }

    /// <summary>Who unloads the module wants nothing any more.</summary>
    private ForwarderConfig AtStart(bool isUnloading) => isUnloading ? initial with { Masks = KeyMaskSet.Empty, Rules = RuleSet.Empty } : initial;

    public IReadOnlyList<InfoSection> GetInfo() => report.Make();

    private static ForwarderConfig Running(ForwarderConfig config) => config.IsStopped ? config with { IsStopped = false } : config;
}
