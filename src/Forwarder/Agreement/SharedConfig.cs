using KeyEvt.Forwarder.Config;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>One version of the configuration that all members of a group have.</summary>
/// <param name="Version">Later ones are larger. Made of the clock in milliseconds, so that none is used twice.</param>
/// <param name="Options">See <see cref="OptionsFingerprint"/>: of the options that it came from. Commands do not change that.</param>
/// <param name="By">The instance that made it, for people.</param>
internal sealed record SharedConfig(long Version, string Options, string By, ForwarderConfig Config);
