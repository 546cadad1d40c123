namespace KeyEvt.Forwarder.Config;

/// <summary>Which configuration is in force? It is read without a lock for each event. Changes are made one at a time.</summary>
internal sealed class CurrentConfig(ForwarderConfig initial)
{
    /// <summary>Held during a change, until everybody has been told.</summary>
    private readonly Lock _turn = new();

    /// <summary>Immutable snapshots. Replaced under the lock; any thread reads the newest one.</summary>
    private volatile ForwarderConfig _value = initial;
    private volatile ForwarderConfig _former = initial;

    public ForwarderConfig Value => _value;

    /// <summary>The one before the last change.</summary>
    public ForwarderConfig Former => _former;

    /// <summary>
    /// Changes the configuration and tells everybody who depends on it, as one step: the next change waits for both. Otherwise two commands could
    /// change in one order and tell in the other, and the feeds would keep what nobody wants any more.
    /// </summary>
    /// <param name="tell">Called under the lock with the configuration before and after. Must not wait for anything.</param>
    public void Change(Func<ForwarderConfig, ForwarderConfig> change, Action<ForwarderConfig, ForwarderConfig> tell)
    {
        lock (_turn)
        {
            var before = _value;
            var after = change(before);
            if (!ReferenceEquals(before, after)) (_former, _value) = (before, after);
            tell(before, _value);
        }
    }
}
