using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Forwarder;

/// <summary>How do commands reach the running engine? Whatever they change, they change for all members of the group.</summary>
/// <param name="version">The version of the configuration in force at this program.</param>
internal sealed class GroupControl(
    CurrentConfig current, ForwarderConfig initial, ConfigChange changes, Func<long> version, HolderAnswers answers, DeliveryLoop delivery, InfoReport report) : IForwarderControl
{
    /// <summary>How often the holder is asked, if others change the configuration all the time.</summary>
    private const int MostQuestions = 4;

    public ForwarderConfig Config => current.Value;

    public Task ConfigureAsync(Func<ForwarderConfig, ForwarderConfig> change) => changes.ChangeAsync(change);

    /// <summary>The outcome is that of the member that delivers.</summary>
    public async Task<ConnectResult?> ConnectAsync(Func<ForwarderConfig, ForwarderConfig?> change, CancellationToken cancellationToken)
    {
        ForwarderConfig? asked = null;
        var isChanged = await changes.ChangeAsync(config => asked = change(config) is { } next ? Running(next) : null).ConfigureAwait(false);
        return isChanged ? await AskAsync(asked!, cancellationToken).ConfigureAwait(false) : null;
    }

    /// <summary>
    /// The holder answers for the configuration that is in force when it reads the question. It had read no other one than this program, if this program has had the same one from its
    /// question to the answer: both read the same stream.
    /// </summary>
    private async Task<ConnectResult> AskAsync(ForwarderConfig asked, CancellationToken cancellationToken)
    {
        for (var question = 0; question < MostQuestions; question++)
        {
            var before = version();
            if (current.Value.IsStopped) return Overtaken("another command has disconnected meanwhile");
            if (!current.Value.HasLinkOf(asked))
            {
                return Overtaken($"another command has changed the connection meanwhile; it is to {current.Value.Amqp} now");
            }

            var result = await answers.AskAsync(cancellationToken).ConfigureAwait(false);
            if (version() == before) return result;
        }

        return Overtaken("other commands change the configuration all the time");
    }

    private static ConnectResult Overtaken(string reason) => new((int)LinkFailureKind.Connection, reason);

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
