// What was the filter asked?
using System.Text;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Resp.Tests.Requests;

/// <summary>One question to the filter.</summary>
internal sealed record Asked(string NameHead, long NameLength, long ArgumentCount);

/// <summary>Takes <c>key_evt_amqp.</c> names and MODULE for candidates, and keeps every question.</summary>
internal readonly struct RecordingFilter(List<Asked> asked) : IRequestFilter
{
    public static bool IsCandidateName(string nameHead) =>
        nameHead.StartsWith("key_evt_amqp.", StringComparison.OrdinalIgnoreCase) || nameHead.Equals("module", StringComparison.OrdinalIgnoreCase);

    public bool IsCandidate(ReadOnlySpan<byte> nameHead, long nameLength, long argumentCount)
    {
        var head = Encoding.Latin1.GetString(nameHead);
        asked.Add(new Asked(head, nameLength, argumentCount));
        return IsCandidateName(head);
    }
}
