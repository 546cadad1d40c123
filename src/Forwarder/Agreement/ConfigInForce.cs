using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>Which version of the group's configuration does this program have, and how is it told to others?</summary>
/// <remarks>Thread safe. Versions replace each other whether they are later or not: what is in force is decided in the stream.</remarks>
/// <param name="options">The options of this program.</param>
/// <param name="seal">Seals what is kept in Redis.</param>
/// <param name="faultOf">What no configuration may say; null: there is no fault.</param>
internal sealed class ConfigInForce(
    ForwarderConfig options, string instance, SecretBox? secrets, MessageSeal seal, ConfigOutlet outlet, Func<ForwarderConfig, string?> faultOf, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly ChangeSignal _changed = new();
    private volatile SharedConfig _value = new(0, "", instance, options);
    private volatile ForwarderConfig _former = options;
    private volatile ForwarderConfig _own = options;

    public string Instance => instance;

    /// <summary>The options of this program. What they say of the broker may have been changed by a command.</summary>
    public ForwarderConfig Own => _own;

    public string Fingerprint { get; } = OptionsFingerprint.Of(options);

    /// <summary>Whether the broker is part of what the members share. It is if they have a secret.</summary>
    public bool SharesBroker => secrets is not null;

    public SharedConfig Value => _value;

    public EventClass Classes => _value.Config.Wanted;

    public EventClass FormerClasses => _former.Wanted;

    /// <summary>Completes at the next change of <see cref="Value"/>.</summary>
    public Task Changed => _changed.Next;

    public void Put(SharedConfig shared) => Put(shared, isFirst: false);

    /// <summary>Does nothing if there is a version already: the stream has told it.</summary>
    public void PutFirst(SharedConfig shared) => Put(shared, isFirst: true);

    /// <summary>The broker that this program uses from the next version on, where members do not share it.</summary>
    public void UseBroker(AmqpSettings broker) => _own = _own with { Amqp = broker };

    /// <summary>The text for a message, which is sealed as a whole.</summary>
    public string Write(SharedConfig shared) => SharedConfigText.Write(shared, secrets, _own);

    /// <returns>Null if it cannot be read, or says what no configuration may say.</returns>
    public SharedConfig? Read(string text) => SharedConfigText.Read(text, secrets, _own) is { } shared && faultOf(shared.Config) is null ? shared : null;

    /// <summary>The text for Redis.</summary>
    public string WriteSealed(SharedConfig shared) => seal.Close(Write(shared), 0);

    public SharedConfig? ReadSealed(string text) => seal.TryOpen(text, 0) is { } opened ? Read(opened) : null;

    private void Put(SharedConfig shared, bool isFirst)
    {
        lock (_gate)
        {
            if (_value.Version == shared.Version || (isFirst && _value.Version != 0)) return; // two streams have told it at once

            (_former, _value) = (_value.Config, shared);
            outlet.Put(shared.Config);
        }

        AgreementLog.InForce(logger, shared.Version, shared.By);
        _changed.Signal();
    }
}
