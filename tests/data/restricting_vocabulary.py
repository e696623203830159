"""Words for what restricts, by language and by what they say, as a service may name its events.

PAIR: one does it to another. ALONE: it is done to somebody, or they do it. BENIGN: neither.
"""

PAIR = {
    "English": "hide hidden hiding ban banned mute muted silence silenced ignore ignored block "
    "blocked blocking report "
    "reported reject rejected decline declined dislike disliked dismiss dismissed ended "
    "do_not_show dont_show_again "
    "never_show no_longer_show not_interested unmatch unmatched remove removed restrict "
    "restricted quarantined barred "
    "excluded kicked refuse refused conceal abuse harassment complaint insult violation unfriend",
    "German": "ausblenden ausgeblendet verbergen verborgen verstecken versteckt sperren gesperrt "
    "Sperrung bannen gebannt "
    "verbannt Verbannung stummschalten stummgeschaltet ignorieren ignoriert blockieren "
    "blockiert Blockierung geblockt "
    "melden gemeldet Meldung beenden beendet Beendigung ablehnen abgelehnt Ablehnung "
    "gefällt_mir_nicht kein_Interesse "
    "nicht_anzeigen nicht_mehr_zeigen entfernen entfernt zurückgewiesen Beschwerde "
    "Belästigung beleidigt entfreunden "
    "Match_aufgelöst verworfen ausschließen ausgeschlossen",
    "French": "masquer masqué cacher caché dissimuler dissimulé bannir banni bannissement sourdine "
    "rendre_muet ignorer "
    "ignoré bloquer bloqué blocage signaler signalé signalement terminer terminé "
    "mettre_fin rejeter rejeté décliner décliné "
    "refuser refusé je_n_aime_pas pas_intéressé ne_plus_afficher ne_pas_montrer exclure "
    "exclu écarter écarté supprimer "
    "retirer retiré plainte harcèlement insulte menace rompre rompu",
    "Spanish": "ocultar oculto esconder escondido prohibir prohibido banear baneado silenciar "
    "silenciado ignorar ignorado "
    "bloquear bloqueo bloqueado denunciar denuncia reportar reportado terminar terminado "
    "finalizar finalizado rechazar "
    "rechazado declinar no_me_gusta no_me_interesa sin_interés no_mostrar no_ver "
    "descartar descartado excluir excluido "
    "eliminar eliminado abandonar queja acoso amenaza insulto vetar vetado romper",
    "Portuguese": "ocultar ocultado esconder escondido banir banido banimento silenciar silenciado "
    "ignorar ignorado "
    "bloquear bloqueio bloqueado denunciar denúncia reportar encerrar encerrado terminar "
    "terminado rejeitar rejeitado "
    "recusar recusado não_gostei sem_interesse não_mostrar não_ver descartar excluir "
    "excluído remover removido abandonar "
    "queixa assédio ameaça insulto desfazer_match",
    "Italian": "nascondere nascosto bannare bannato bandire bandito silenziare silenziato ignorare "
    "ignorato bloccare blocco "
    "bloccato segnalare segnalato segnalazione terminare terminato concluso rifiutare "
    "rifiutato declinare non_mi_piace "
    "non_interessato non_mostrare scartare scartato escludere escluso rimuovere rimosso "
    "eliminare abbandonare molestia "
    "minaccia insulto reclamo",
    "Japanese": "隠す 隠した 非表示 禁止 出禁 ミュート ミュートした 無視 無視した スルー ブロック "
    "ブロックした 通報 通報した 終了 拒否 断る "
    "断った お断り 辞退 嫌い 苦手 表示しない 見たくない 興味なし 除外 排除 キック 追放 "
    "見送り 迷惑 嫌がらせ 苦情 違反 絶縁 関係解消",
    "Chinese": "隐藏 隱藏 封禁 静音 靜音 禁言 忽略 屏蔽 拉黑 封锁 封鎖 举报 舉報 检举 檢舉 投诉 投訴 "
    "结束 結束 拒绝 拒絕 谢绝 謝絕 婉拒 "
    "不喜欢 不喜歡 讨厌 討厭 不感兴趣 不感興趣 不再显示 不再顯示 不显示 不顯示 移除 限制 "
    "踢出 骚扰 騷擾 威胁 威脅 辱骂 辱罵 违规 違規 "
    "解除匹配 解除配對 排除",
    "Korean": "숨기기 숨김 밴 음소거 뮤트 무시 차단 차단함 블락 블록 신고 신고함 종료 거절 거부 "
    "사양 싫어요 별로예요 보지않기 안보기 표시안함 "
    "표시하지_않음 관심없음 제외 강퇴 추방 제한 매칭해제 매칭_취소 절교 손절 괴롭힘 협박 욕설 불쾌 위반",
}
ALONE = {
    "English": "ban banned frozen freeze suspend suspended suspension disabled locked lock "
    "terminated expelled kicked barred "
    "quarantined blacklisted revoked hidden hide paused pause deactivated unlisted left "
    "leave quit deleted withdrawn closed",
    "German": "gebannt bannen Bann verbannt gesperrt sperren Sperre Konto_gesperrt eingefroren "
    "einfrieren suspendiert "
    "Suspendierung ausgeschlossen Ausschluss stillgelegt deaktiviert pausiert "
    "ausgeblendet verborgen versteckt unsichtbar "
    "gelöscht gekündigt ausgetreten Austritt verlassen Konto_geschlossen",
    "French": "banni bannir bannissement gelé geler suspendu suspension suspendre exclu expulsé "
    "bloqué interdit désactivé en_pause "
    "masqué profil_caché supprimé résilié désinscrit quitté compte_fermé retiré",
    "Spanish": "baneado banear congelado congelar suspendido suspender suspensión bloqueado "
    "prohibido inhabilitado "
    "deshabilitado vetado expulsado excluido restringido desactivado en_pausa pausado "
    "oculto escondido eliminado baja "
    "cuenta_cerrada cuenta_terminada",
    "Portuguese": "banido banir banimento congelado congelar suspenso suspender suspensão bloqueado "
    "proibido desabilitado vetado "
    "expulso excluído restringido desativado em_pausa pausado oculto escondido eliminado conta_encerrada",
    "Italian": "bannato bannare bandito congelato congelare sospeso sospendere sospensione bloccato "
    "vietato espulso escluso "
    "disattivato in_pausa nascosto eliminato cancellato account_chiuso ritirato",
    "Japanese": "BAN 垢BAN 凍結 凍結された 利用停止 停止 利用制限 追放 除名 強制退会 無効 非公開 "
    "非表示 隠した 休会 休止 お休み 退会 脱退 脱会 "
    "アカウント削除 解約 出禁 キック",
    "Chinese": "封禁 封号 封號 冻结 凍結 停权 停權 停用 禁用 踢出 驱逐 驅逐 除名 开除 開除 暂停 暫停 "
    "隐藏 隱藏 注销 註銷 停止 终止 終止 隔离 隔離",
    "Korean": "밴 정지 동결 영구정지 제재 강퇴 추방 퇴출 잠금 차단 제한 휴면 비활성 비공개 숨김 "
    "탈퇴 계정삭제 해지 금지 격리",
}
BENIGN = {
    "English": "login logout signup purchase viewed visited searched clicked scrolled liked "
    "superlike match message_sent "
    "opened verified call_ended chat_ended cache_cleared profile_completed photo_uploaded "
    "invite_declined recommended "
    "attended extended friended commenced premium_started retirement_talk",
    "German": "anmelden angemeldet Anmeldung abgemeldet angezeigt anzeigen gekauft besucht gesucht "
    "Nachricht gesendet "
    "gelesen abgeschlossen geladen Profil_angesehen beachtet Anruf_beendet",
    "French": "connexion déconnexion achat visite recherche message envoyé lu aimé profil_vu "
    "photo_ajoutée inscription "
    "appel_terminé abonnement",
    "Spanish": "inicio_de_sesión cerrar_sesión sesión_cerrada compra visita búsqueda mensaje enviado "
    "me_gusta perfil_visto "
    "mostrar ver llamada_finalizada suscripción",
    "Portuguese": "entrar sair saiu compra visita busca mensagem enviada curtiu perfil_visto assinatura "
    "chamada_encerrada",
    "Italian": "accesso uscita acquisto visita ricerca messaggio inviato mi_piace profilo_visto "
    "abbonamento chiamata_terminata "
    "cacciatore",
    "Japanese": "ログイン ログアウト 購入 閲覧 検索 いいね マッチ メッセージ送信 表示 登録 完了 会う "
    "通話終了 隠れ家 制限時間 開封 休日 課金 本人確認",
    "Chinese": "登录 登出 退出登录 购买 浏览 搜索 点赞 匹配 发送消息 关注 签到 通话结束 結果 结果 "
    "选择 规则 开封",
    "Korean": "로그인 로그아웃 구매 방문 검색 좋아요 매칭 메시지전송 보기 관심 통화종료 본인인증 밴드",
}
