namespace KeyEvt.Forwarder.Config;

/// <summary>Which configuration is in force? Read without a lock, once an event; changed one change at a time.</summary>
internal sealed class CurrentConfig(ForwarderConfig initial)
{
    private readonly Lock _turn = new();
    private volatile ForwarderConfig _value = initial;

    public ForwarderConfig Value => _value;

    /// <summary>
    /// Changes the configuration and tells everybody who depends on it, as one step: the next change waits for both. Otherwise two commands could
    /// change in one order and tell in the other, and the feeds would stay with what nobody wants any more.
    /// </summary>
    /// <param name="tell">Gets the configuration before and after. Must not wait for anything.</param>
    public void Change(Func<ForwarderConfig, ForwarderConfig> change, Action<ForwarderConfig, ForwarderConfig> tell)
    {
        lock (_turn)
        {
            var before = _value;
            _value = change(before);
            tell(before, _value);
        }
    }
}
