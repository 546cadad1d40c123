// What kind of element is it?
namespace KeyEvt.Resp;

/// <summary>The kinds of elements of a reply. Several kinds have different type bytes in RESP2 and RESP3.</summary>
public enum RespKind
{
    /// <summary>There is no further element.</summary>
    End,

    /// <summary><c>_</c>, <c>$-1</c> or <c>*-1</c>.</summary>
    Null,

    /// <summary><c>+</c></summary>
    SimpleString,

    /// <summary><c>-</c> or <c>!</c></summary>
    Error,

    /// <summary><c>:</c></summary>
    Integer,

    /// <summary><c>$</c></summary>
    Bulk,

    /// <summary><c>=</c>: text with a three-letter format.</summary>
    Verbatim,

    /// <summary><c>,</c></summary>
    Double,

    /// <summary><c>#</c></summary>
    Boolean,

    /// <summary><c>(</c></summary>
    BigNumber,

    /// <summary><c>*</c></summary>
    Array,

    /// <summary><c>~</c></summary>
    Set,

    /// <summary><c>&gt;</c></summary>
    Push,

    /// <summary><c>%</c></summary>
    Map,
}
