namespace KeyEvt.Forwarder.Tests.Group;

internal sealed record ModelState(
    (string Member, int At)? Claim, string? Holder, int Watermark, IReadOnlyList<(string Member, int Reach)> Marks, IReadOnlyList<(string Member, int At)> Who);
